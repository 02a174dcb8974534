//! Whether a phone is of the time when phones followed Service Indications: before smartphones, roughly until 2010. Phones of
//! today take them for spam, or show nothing.

use packetboat_api::memory::Handset;

/// What User-Agents of that time say: the Java profiles of the phone, or the browser vendors of the time.
const OLD: &[&str] = &[
    "midp-",
    "cldc-",
    "up.browser",
    "up.link",
    "openwave",
    "obigo",
    "teleca",
    "netfront",
    "semc-browser",
    "maui",
    "jataayu",
    "sie-",
    "nokia3",
    "nokia5",
    "nokia6",
    "nokia7",
    "series40",
    "symbianos",
    "mot-v",
    "sonyericsson",
];
/// What smartphones say, whatever else they say.
const NEW: &[&str] = &["android", "iphone", "ipad", "ios/", "mozilla/5.0", "windows phone", "kaios", "harmonyos"];
/// Content types only browsers of that time ask for.
const WAP: &[&str] = &["text/vnd.wap.wml", "application/vnd.wap.wmlc", "application/vnd.wap.sic", "image/vnd.wap.wbmp"];
/// The longer side of such a phone's screen at most, in pixels.
const SCREEN: u32 = 320;

/// Whether this phone follows a Service Indication. What it says itself counts before what its profile says: smartphones have
/// profiles too.
pub fn follows_indications(handset: &Handset) -> bool {
    let agent = handset.user_agent.as_deref().unwrap_or_default().to_ascii_lowercase();
    if NEW.iter().any(|mark| agent.contains(mark)) {
        return false;
    }
    if OLD.iter().any(|mark| agent.contains(mark)) {
        return true;
    }
    let profile = handset.profile.as_ref();
    if let Some((width, height)) = profile.and_then(|profile| profile.screen) {
        return width.max(height) <= SCREEN;
    }
    let accepts = handset.accepts.iter().chain(profile.into_iter().flat_map(|profile| &profile.accepts));
    accepts.into_iter().any(|accepted| WAP.contains(&accepted.as_str()))
}
