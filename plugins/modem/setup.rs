//! Setting a modem up, and looking after it (TS 27.005, TS 27.007).
//!
//! What a modem does not know is passed over where we can do without. What we cannot do without is the SIM, PDU mode and an
//! answer.

use packetboat_sms::at::answers::{memories, offers, operator, pin_retries, registration, signal};
use packetboat_sms::at::{Information, Registration};
use packetboat_sms::tpdu::Address;

use crate::dialogue::{Dialogue, Trouble};
use crate::limits::{CALLS, SIM_BUSY, SIM_PAUSE};
use crate::session::Shared;
use crate::settings::Incoming;
use crate::status::{Link, strength};

/// Tries that a SIM gives for its PIN (ETSI TS 102 221 9.5.1).
const PIN_TRIES: u8 = 3;

/// How a modem was set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// What is passed on at once waits for an acknowledgement (+CSMS phase 2+).
    pub acknowledges: bool,
    /// +CNMI as the modem has it: what is said unasked.
    pub notify: String,
    /// The memory that is read from; `None` when the modem has none.
    pub memory: Option<String>,
    /// The memory for messages that arrive.
    pub arriving: Option<String>,
}

/// Sets the modem up, from any state it may be in.
pub async fn set_up(shared: &Shared, dialogue: &mut Dialogue) -> Result<Setup, Trouble> {
    call(shared, dialogue).await?;
    for command in ["ATZ", "ATE0", "ATV1", "AT+CMEE=1"] {
        optional(shared, dialogue, command).await?;
    }
    for command in &shared.settings.commands {
        optional(shared, dialogue, command).await?;
    }
    unlock(shared, dialogue).await?;
    optional(shared, dialogue, "AT+COPS=3,0").await?; // names of networks, not numbers
    look(shared, dialogue).await?;
    if let Some(centre) = &shared.centre {
        let command = format!("AT+CSCA=\"{centre}\",{}", if centre.is_international() { 145 } else { 129 });
        needed(shared, dialogue, &command).await?;
    }
    let mut setup = Setup::default();
    let phases = asked(shared, dialogue, "AT+CSMS=?", "CSMS").await?.unwrap_or_default();
    if offers(&phases).first().is_some_and(|phases| phases.contains(&1)) {
        setup.acknowledges = optional(shared, dialogue, "AT+CSMS=1").await?;
    }
    needed(shared, dialogue, "AT+CMGF=0").await?;
    memory(shared, dialogue, &mut setup).await?;
    let offered = asked(shared, dialogue, "AT+CNMI=?", "CNMI").await?.unwrap_or_default();
    setup.notify = notification(&offers(&offered), shared, setup.acknowledges);
    needed(shared, dialogue, &format!("AT+CNMI={}", setup.notify)).await?;
    // Modems bend what they are told; what they made of it is what a later look compares with.
    if let Some(made) = asked(shared, dialogue, "AT+CNMI?", "CNMI").await? {
        setup.notify = plain(&made);
    }
    let state = shared.status.state();
    tracing::info!(
        bearer = shared.name,
        operator = state.operator,
        registration = state.registration.map(|registration| registration.to_string()),
        signal = strength(state.signal),
        acknowledges = setup.acknowledges,
        notify = setup.notify,
        "the modem is set up"
    );
    shared.status.update(|state| state.link = Link::Ready);
    Ok(setup)
}

/// Gets an answer out of it.
async fn call(shared: &Shared, dialogue: &mut Dialogue) -> Result<(), Trouble> {
    dialogue.escape().await?;
    let mut silent = Trouble::Silent("AT".to_owned());
    for _ in 0..CALLS {
        match dialogue.command("AT", shared.limit()).await {
            Ok(_) => return Ok(()),
            Err(Trouble::Gone(why)) => return Err(Trouble::Gone(why)),
            Err(trouble) => silent = trouble,
        }
    }
    Err(silent)
}

/// A command we can do without. Whether the modem took it.
async fn optional(shared: &Shared, dialogue: &mut Dialogue, command: &str) -> Result<bool, Trouble> {
    match dialogue.command(command, shared.limit()).await {
        Ok(_) => Ok(true),
        Err(Trouble::Failed(what, failure)) => {
            tracing::debug!(bearer = shared.name, what, %failure, "the modem cannot do this");
            Ok(false)
        }
        Err(trouble) => Err(trouble),
    }
}

/// A command we cannot do without. A SIM that is busy, as in the seconds after its PIN, is waited for.
async fn needed(shared: &Shared, dialogue: &mut Dialogue, command: &str) -> Result<Vec<Information>, Trouble> {
    let mut tries = 0;
    loop {
        match dialogue.command(command, shared.limit()).await {
            Err(Trouble::Failed(_, failure)) if failure.is_sim_busy() && tries < SIM_BUSY => {
                tries += 1;
                shared.pause(SIM_PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// What follows `+NAME:`; `None` when the modem does not know the question.
async fn asked(shared: &Shared, dialogue: &mut Dialogue, command: &str, name: &str) -> Result<Option<String>, Trouble> {
    match needed(shared, dialogue, command).await {
        Ok(lines) => Ok(lines.iter().find_map(|line| line.of(name)).map(str::to_owned)),
        Err(Trouble::Failed(..)) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Enters the PIN where the SIM wants one.
async fn unlock(shared: &Shared, dialogue: &mut Dialogue) -> Result<(), Trouble> {
    let mut entered = false;
    for _ in 0..SIM_BUSY {
        match dialogue.ask("AT+CPIN?", "CPIN", shared.limit()).await {
            Ok(None) => return Ok(()),
            Ok(Some(state)) => match state.as_str() {
                "READY" => return Ok(()),
                "SIM PIN" if !entered => {
                    enter(shared, dialogue).await?;
                    entered = true;
                    continue;
                }
                "SIM PIN" => {}
                other => {
                    return Err(Trouble::Unfit(format!("the SIM wants its {other}; enter it by hand, at a phone")));
                }
            },
            Err(Trouble::Failed(_, failure)) if failure.is_sim_busy() => {}
            Err(Trouble::Failed(_, failure)) => {
                return Err(Trouble::Unfit(format!("the modem has no use of a SIM: {failure}")));
            }
            Err(trouble) => return Err(trouble),
        }
        shared.pause(SIM_PAUSE).await;
    }
    Err(Trouble::Unfit("the SIM does not become ready".to_owned()))
}

/// Enters the PIN, once: a SIM blocks itself after three wrong ones. Where the modem counts, none is tried after a wrong one
/// of before a restart either.
async fn enter(shared: &Shared, dialogue: &mut Dialogue) -> Result<(), Trouble> {
    const REMEDY: &str = "Correct the setting, enter the right one once at a phone, and restart";
    let unfit = |why: String| Err(Trouble::Unfit(why));
    let Some(pin) = &shared.pin else {
        return unfit("the SIM wants a PIN and none is set; set pin".to_owned());
    };
    if shared.status.state().pin_refused {
        return unfit(format!("the SIM did not take the PIN, and it is not tried again. {REMEDY}"));
    }
    let counted = match dialogue.command("AT+CPINR=\"SIM PIN\"", shared.limit()).await {
        Ok(lines) => lines.iter().find_map(|line| line.of("CPINR").and_then(pin_retries)),
        Err(Trouble::Failed(..)) => None,
        Err(trouble) => return Err(trouble),
    };
    if let Some(left) = counted.filter(|left| *left < PIN_TRIES) {
        return unfit(format!(
            "the SIM gives its PIN {left} more tries of {PIN_TRIES}: a wrong one was entered, and none is tried now. {REMEDY}"
        ));
    }
    // Should the answer get lost, it was tried all the same.
    shared.status.update(|state| state.pin_refused = true);
    match dialogue.command(&format!("AT+CPIN=\"{pin}\""), shared.limit()).await {
        Ok(_) => {
            shared.status.update(|state| state.pin_refused = false);
            Ok(())
        }
        Err(Trouble::Failed(_, failure)) => {
            tracing::warn!(bearer = shared.name, %failure, "the SIM did not take the PIN");
            unfit(format!("the SIM did not take the PIN ({failure}), and it is not tried again. {REMEDY}"))
        }
        Err(trouble) => Err(trouble),
    }
}

/// Looks at registration, network and signal.
pub async fn look(shared: &Shared, dialogue: &mut Dialogue) -> Result<(), Trouble> {
    let mut found: Option<Registration> = None;
    // Circuit-switched, packet-switched, LTE: short messages go over any of them.
    for name in ["CREG", "CGREG", "CEREG"] {
        let value = match dialogue.ask(&format!("AT+{name}?"), name, shared.limit()).await {
            Ok(value) => value,
            Err(Trouble::Failed(..)) => continue,
            Err(trouble) => return Err(trouble),
        };
        let state = value.as_deref().and_then(registration);
        if found.is_none() || state.is_some_and(Registration::is_registered) {
            found = state.or(found);
        }
        if found.is_some_and(Registration::is_registered) {
            break;
        }
    }
    let named = asked(shared, dialogue, "AT+COPS?", "COPS").await?.as_deref().and_then(operator);
    let heard = asked(shared, dialogue, "AT+CSQ", "CSQ").await?.as_deref().and_then(signal);
    shared.status.update(|state| {
        if state.registration != found {
            tracing::info!(bearer = shared.name, registration = ?found, operator = named, "the modem's registration");
        }
        (state.registration, state.operator, state.signal) = (found, named, heard);
    });
    Ok(())
}

/// Chooses the memory.
async fn memory(shared: &Shared, dialogue: &mut Dialogue, setup: &mut Setup) -> Result<(), Trouble> {
    let wanted = &shared.settings.memory;
    if !wanted.is_empty() {
        let all = format!("AT+CPMS=\"{wanted}\",\"{wanted}\",\"{wanted}\"");
        match needed(shared, dialogue, &all).await {
            Ok(_) => {}
            Err(Trouble::Failed(_, failure)) => {
                return Err(Trouble::Unfit(format!("the modem has no memory \"{wanted}\" for messages: {failure}")));
            }
            Err(trouble) => return Err(trouble),
        }
    }
    fill_level(shared, dialogue, setup).await
}

/// Looks at how full the memory is.
async fn fill_level(shared: &Shared, dialogue: &mut Dialogue, setup: &mut Setup) -> Result<(), Trouble> {
    let all = asked(shared, dialogue, "AT+CPMS?", "CPMS").await?.as_deref().map(memories).unwrap_or_default();
    setup.memory = all.first().map(|(name, ..)| name.clone());
    // The third is filled by what arrives; modems with one memory name no other.
    let arriving = all.get(2).or(all.first()).cloned();
    setup.arriving = arriving.as_ref().map(|(name, ..)| name.clone());
    shared.status.update(|state| state.memory = arriving);
    Ok(())
}

fn plain(value: &str) -> String {
    value.replace(' ', "")
}

/// Looks after a modem that is set up. `Err(Trouble::Forgetful)`: it has to be set up again.
pub async fn check(shared: &Shared, dialogue: &mut Dialogue, setup: &mut Setup) -> Result<(), Trouble> {
    look(shared, dialogue).await?;
    let format = asked(shared, dialogue, "AT+CMGF?", "CMGF").await?;
    let notify = asked(shared, dialogue, "AT+CNMI?", "CNMI").await?;
    // A modem that was not acknowledged in time stops passing on what arrives (TS 27.005 3.4.4); one that started anew has
    // forgotten everything.
    if notify.is_some_and(|value| plain(&value) != setup.notify) || format.is_some_and(|value| value != "0") {
        return Err(Trouble::Forgetful);
    }
    fill_level(shared, dialogue, setup).await
}

/// The value for +CNMI that comes nearest to what is wanted (TS 27.005 3.4.1).
fn notification(offers: &[Vec<u8>], shared: &Shared, acknowledges: bool) -> String {
    let settings = &shared.settings;
    let choose = |place: usize, wanted: &[u8]| {
        let offered = offers.get(place).filter(|offered| !offered.is_empty());
        let best = wanted.iter().find(|value| offered.is_none_or(|offered| offered.contains(value)));
        best.or(offered.and_then(|offered| offered.first())).copied().unwrap_or(0)
    };
    // Modes: 2 keeps what comes while the line is busy, 1 drops the remark then, 3 needs a line that can do both.
    let mode = choose(0, &[2, 1, 3]);
    let messages = match settings.incoming {
        Incoming::Off => 0,
        Incoming::Direct if acknowledges => choose(1, &[2, 1]),
        Incoming::Direct | Incoming::Stored => choose(1, &[1]),
    };
    let reports = if settings.status_reports { choose(3, &[1, 2]) } else { 0 };
    format!("{mode},{messages},0,{reports},{}", choose(4, &[0, 1]))
}

/// The service centre's number as the settings have it.
///
/// # Errors
/// In words, when it is none.
pub fn service_centre(text: &str) -> Result<Option<Address>, String> {
    let wrong = || format!("\"{text}\" is not an international number; write it as \"+447700900000\"");
    match text.strip_prefix('+') {
        _ if text.is_empty() => Ok(None),
        Some(digits) if digits.len() >= 5 && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Address::international(digits).map(Some).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}
