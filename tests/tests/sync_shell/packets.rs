//! Packets that lie open in the data folder, when their screening is closed for its age.

use amparo_tests::interview::{start, talk_unstored};

use crate::field::{Field, at, now_ms};

/// Longer than a screening may stay open by the policy, and no longer ago than the content.
const AGO_MS: i64 = 26 * 60 * 60 * 1000;

#[test]
fn a_packet_goes_when_its_screening_is_closed_for_its_age_and_nothing_of_it_is_kept() {
    for (code, arguments) in [(8, &["bundle", "export", "stick"][..]), (6, &[][..])] {
        let field = Field::made_at(now_ms() - AGO_MS - 1_000);
        let device = field.device(at(now_ms() - AGO_MS));
        let id = start(&device);
        talk_unstored(&device, id);
        let service = device.contacts(id, &[]).unwrap().offers.remove(0).service.id;
        let referral = device.refer(id, &service, None).unwrap();
        drop(device);
        let packet = field.file(&format!("home/{referral}.json"));
        std::fs::write(&packet, "synthetic").unwrap();
        field.expect(0, &["list"]);
        assert!(packet.exists(), "while the screening is open");
        field.expect(code, arguments);
        assert!(!packet.exists(), "{arguments:?}");
    }
}
