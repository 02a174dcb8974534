//! End-to-end stories: the real binary, real peers, one story per file. Nothing here knows the product's code.
//!
//! A story is named as a sentence and shows one promise from outside: what a phone, a mail server, an operator sees.
//! Ids such as A-01 name the reported failure that a story keeps from coming back. `tests/run` installs the peers;
//! without them `cargo test` leaves their stories out and says so.

mod node;

mod aborted_downloads_do_not_count;
mod bad_pdus_get_a_proper_answer;
mod config_mistakes_are_named;
mod connections_over_a_limit_are_told_so;
mod corpus_decodes_as_tshark_sees_it;
mod decode_reads_pushes;
mod disk_full_answers_try_later_and_recovers;
mod documentation_is_current;
mod draining_finishes_what_is_under_way;
mod each_mail_recipient_has_its_own_outcome;
mod every_way_to_transfer_a_mail_works;
mod everything_we_emit_decodes_elsewhere;
mod expired_link_says_so;
mod expired_message_says_so;
mod forwarding_hands_the_message_on;
mod group_message_shows_everyone_but_bcc;
mod handset_fetches_a_mailed_photo;
mod handset_sends_to_handset;
mod handset_sends_to_mail_and_gets_a_report;
mod home_lab_example_boots;
mod kannel_down_queues_and_recovers;
mod lab_once_leaves_nothing_behind;
mod late_fetch_stops_the_fallback;
mod links_and_settings_decode_elsewhere;
mod mail_hosts_are_found_by_mx_and_retried;
mod mail_sender_gets_the_reports_it_asked_for;
mod message_waits_for_its_delivery_time;
mod no_open_relay;
mod nothing_is_lost_when_killed_while_accepting;
mod notification_is_repeated_until_fetched;
mod numbers_are_read_as_people_write_them;
mod old_device_can_send;
mod operator_sees_the_queue;
mod phone_fetches_after_a_push_in_parts;
mod phone_that_does_not_understand_gets_a_link;
mod phone_that_refuses_is_reported;
mod preview_robot_is_not_a_reader;
mod proxy_headers_count_only_from_listed_proxies;
mod read_report_reaches_the_sender;
mod receipts_become_evidence;
mod repeated_submission_is_one_message;
mod second_message_skips_what_never_worked;
mod settings_lead_a_phone_to_us;
mod slow_and_odd_phones_are_served;
mod smsc_reset_mid_window_sends_each_push_once;
mod smuggled_mail_is_refused;
mod throttled_smsc_slows_us_and_loses_nothing;
mod timers_survive_a_restart;
mod transport_failing_for_good_moves_to_the_next_step;
mod unknown_recipient_is_refused_at_rcpt;
mod urgent_message_overtakes_a_bulk_job;
mod walled_garden_falls_back_to_a_link;
