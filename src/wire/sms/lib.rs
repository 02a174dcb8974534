//! SMS user data: headers, segmentation, reassembly
