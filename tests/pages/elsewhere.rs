//! Every test of this program on MariaDB and on PostgreSQL.

use crate::databases::elsewhere::{elsewhere, forgotten};

elsewhere! {
    alike:
        forgotten_passwords_mails_again_and_wrong_passwords
        signing_up
        what_prosody_hears;
    asvs:
        v3_3_1_to_3_3_4_cookies
        v3_4_1_to_3_4_8_headers_on_every_answer
        v3_5_1_to_3_5_3_nothing_changes_by_looking
        v3_6_1_nothing_comes_from_elsewhere
        v6_2_1_to_6_2_12_passwords
        v6_4_1_and_6_4_3_links_end_and_keep_the_second_factor
        v7_2_3_and_7_2_4_keys_are_long_and_new_at_each_proof
        v7_3_1_and_7_3_2_idle_and_absolute_ends
        v7_4_1_to_7_4_3_sessions_end_with_what_they_stood_for
        v16_2_to_16_4_who_when_where_and_no_secret
        v16_5_1_to_16_5_4_failures_say_nothing_of_their_cause;
    door:
        a_form_of_another_site_is_refused_everywhere
        the_name_that_is_asked_for_is_believed_nowhere
        large_bodies_and_foreign_kinds_are_refused
        a_body_that_never_ends_is_given_up
        one_network_is_limited_and_its_neighbour_is_not
        a_message_is_shown_once_and_only_when_it_is_ours;
    hostile:
        every_field_of_every_form
        every_query_header_and_cookie
        what_is_stored_stays_text
        line_breaks_begin_no_header_and_no_line_of_a_mail;
    links:
        a_forgotten_password_is_chosen_anew
        links_end_after_their_time_and_serve_one_purpose
        who_may_not_sign_in_gets_no_link
        an_account_that_somebody_made_gets_its_first_password_once
        an_address_changes_when_the_new_one_confirms_and_the_old_one_takes_it_back
        whoever_knew_the_password_keeps_no_address
        nobody_takes_the_address_of_another;
    member:
        name_and_language
        another_password
        sessions_are_listed_and_ended
        what_matters_asks_for_the_password_again
        a_second_factor_is_set_up_used_and_switched_off
        staff_without_a_second_factor_is_led_to_set_it_up
        who_leaves_leaves_nothing_but_the_name;
    signing_in:
        by_name_or_address_and_out_again
        the_way_back_is_one_of_ours
        how_an_account_stands_is_told_after_the_right_password_only
        the_second_factor_is_asked_for_and_each_code_is_good_once
        codes_cannot_be_guessed
        a_guesser_is_slowed_and_nobody_is_shut_out
        a_guesser_at_one_address_slows_nobody_else
        a_sign_in_under_way_ends_with_the_password
        limits_do_not_tell_whose_an_address_is
        a_known_browser_is_known_for_its_account_only
        old_hashes_are_made_anew_at_the_next_sign_in
        prosody_is_answered;
    signing_up:
        sign_up_confirm_and_wait_for_approval
        a_name_is_looked_at_while_it_is_typed
        open_registration_needs_nobody
        closed_registration_is_closed_for_the_form_too
        invitations_are_used_up_and_lead_into_a_group
        a_later_rule_of_invitations_lets_nobody_in_who_has_none
        a_link_is_bound_to_its_address
        every_mistake_is_told_at_its_field_and_nothing_is_written
        a_form_is_neither_sent_at_once_nor_days_later
        nobody_can_hold_the_address_of_somebody_else
        the_mail_comes_again_and_only_where_it_is_due
        an_address_gets_five_mails_in_an_hour
        who_is_not_confirmed_or_approved_in_time_goes;
    table:
        everybody_at_every_address
        other_methods_and_paths_get_plain_pages
        a_session_has_the_role_of_now;
}

#[test]
fn none_is_forgotten() {
    assert_eq!(forgotten("pages", ELSEWHERE), Vec::<String>::new());
}
