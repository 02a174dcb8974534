//! Which mandatory fields a PDU lacks (OMA-TS-MMS_ENC 6).

use crate::Pdu;
use crate::tables::Field;
use crate::value::Value;

impl<B> Pdu<B> {
    /// The names of the mandatory fields that are missing or broken; empty when the PDU is complete.
    ///
    /// Which version a sender claims does not matter here, and fields that a PDU should not have are no fault.
    pub fn check(&self) -> Vec<&'static str> {
        let spec = self.kind.spec();
        let wanted = std::iter::once(&Field::MmsVersion).chain(spec.mandatory);
        let missing = wanted.filter(|field| !self.has(field)).filter_map(Field::spec).map(|row| row.name);
        let mut missing: Vec<_> = missing.collect();
        if spec.recipients && !self.to().chain(self.cc()).chain(self.bcc()).any(|address| !address.trim().is_empty()) {
            missing.push("To, Cc or Bcc");
        }
        missing
    }

    fn has(&self, field: &Field) -> bool {
        match field {
            Field::ContentType => self.content.is_some(),
            _ => self.values(field.clone()).any(|value| match value {
                Value::Raw(_) => false,
                Value::Text(text) => !text.is_empty(),
                _ => true,
            }),
        }
    }
}
