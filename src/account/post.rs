//! Mails: composed here in a language, as text and HTML; put into the database with the change that they tell of, and sent later by the room `desk`.
