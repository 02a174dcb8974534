//! TP-UDL and TP-UD (TS 23.040 9.2.3.16, 9.2.3.24): header and characters, packed where they are septets.

use super::coding::{Coding, DataCoding};
use super::error::TpduError;
use super::reader::Reader;
use super::septets::{pack, unpack};
use crate::error::UserDataError;
use crate::limits::{MAX_SEPTETS, MAX_USER_DATA};
use crate::udh::Udh;
use crate::user_data::UserData;

/// Bits between a header of so many octets and the next septet's beginning.
fn fill(header: usize) -> usize {
    (7 - header * 8 % 7) % 7
}

/// Appends TP-UDL and TP-UD.
pub(super) fn encode_into(data: &UserData, coding: DataCoding, out: &mut Vec<u8>) -> Result<(), TpduError> {
    let mut header = Vec::new();
    if let Some(udh) = &data.header {
        udh.encode_into(&mut header);
    }
    let too_long = |length, max| TpduError::Unwritable(UserDataError::TooLong { length, max });
    if coding.coding() == Coding::Septets {
        let septets = (header.len() * 8).div_ceil(7) + data.payload.len();
        if septets > MAX_SEPTETS {
            return Err(too_long(septets, MAX_SEPTETS));
        }
        out.push(septets as u8);
        out.extend_from_slice(&header);
        out.extend(pack(&data.payload, fill(header.len())));
        return Ok(());
    }
    let length = header.len() + data.payload.len();
    if length > MAX_USER_DATA {
        return Err(too_long(length, MAX_USER_DATA));
    }
    out.push(length as u8);
    out.extend_from_slice(&header);
    out.extend_from_slice(&data.payload);
    Ok(())
}

/// Reads TP-UDL and TP-UD. What follows them is nobody's: some modems fill the TPDU up.
pub(super) fn read(reader: &mut Reader<'_>, coding: DataCoding, has_header: bool) -> Result<UserData, TpduError> {
    let at = reader.offset();
    let length = usize::from(reader.octet("TP-UDL")?);
    let offset = reader.offset();
    let wrong = |error| TpduError::UserData { offset, error };
    if coding.coding() != Coding::Septets {
        return UserData::parse(&reader.take("TP-UD", length)?, has_header).map_err(wrong);
    }
    let octets = reader.take("TP-UD", (length * 7).div_ceil(8))?;
    if !has_header {
        return Ok(UserData { header: None, payload: unpack(&octets, 0, length).into() });
    }
    let (header, taken) = Udh::parse(&octets).map_err(wrong)?;
    let septets = (taken * 8).div_ceil(7);
    let Some(count) = length.checked_sub(septets) else {
        return Err(TpduError::HeaderOverLength { offset: at, header: septets, length });
    };
    Ok(UserData { header: Some(header), payload: unpack(&octets[taken..], fill(taken), count).into() })
}
