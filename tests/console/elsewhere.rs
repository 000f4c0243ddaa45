//! Every test of this program on MariaDB and on PostgreSQL.

use crate::databases::elsewhere::{elsewhere, forgotten};

elsewhere! {
    approval:
        one_click_approves_into_a_group_and_tells_the_person
        the_oldest_stands_first_and_a_reload_changes_nothing
        rejected_with_a_reason_and_a_mail_and_blocked_and_undone
        an_approver_blocks_an_address_but_no_domain
        a_rejected_sign_up_without_a_confirmed_address_has_it_to_confirm_again
        several_at_once_and_those_who_cannot_be_are_named
        of_two_at_once_one_decides_and_the_other_is_told
        notes_are_for_staff_and_approvers_see_nobody_else
        a_late_decision_shows_nothing_of_an_account;
    hostile:
        nothing_that_somebody_typed_is_a_tag
        what_was_typed_wrong_comes_back_as_text
        no_cell_of_a_download_is_a_formula;
    links:
        staff_further_addresses_and_the_webhook_are_told
        the_link_shows_and_only_the_button_decides_in_the_name_of_its_owner
        after_one_decision_the_other_link_is_dead
        tampered_expired_and_foreign_links_decide_nothing
        a_link_ends_with_the_role_the_address_or_the_account_of_its_owner
        one_mail_tells_of_all_who_wait_when_that_is_wanted;
    lists:
        pages_hold_everybody_once_in_every_order_and_filter
        a_filter_goes_along_with_bulk_acts_and_a_group
        downloads_hold_the_filtered_list_whole_and_are_written_down;
    people:
        a_new_account_gets_a_one_time_link_by_mail_or_shown_once
        what_is_wrong_with_a_new_account_is_said_and_what_was_typed_stays
        suspended_and_deleted_are_out_at_once
        somebody_is_always_left_to_administrate
        a_change_of_role_ends_sessions
        a_sign_in_of_long_ago_is_asked_for_the_password_again
        buttons_say_whom_and_links_keep_every_sign
        a_reason_to_suspend_has_an_end
        an_edit_names_old_and_new_and_ends_links_to_the_old_address
        no_page_that_is_looked_at_changes_anything;
    rules:
        settings_hold_at_once_here_and_soon_elsewhere
        every_wrong_value_is_named_and_nothing_is_saved
        an_invitation_is_shown_once_and_kept_as_a_hash
        every_form_of_the_console_leaves_an_entry
        forms_of_other_sites_are_refused;
    table:
        every_address_and_everybody;
}

#[test]
fn none_is_forgotten() {
    assert_eq!(forgotten("console", ELSEWHERE), Vec::<String>::new());
}
