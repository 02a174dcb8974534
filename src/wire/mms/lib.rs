//! MMS encapsulation: the PDUs of MM1
