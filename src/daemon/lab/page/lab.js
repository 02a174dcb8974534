// The laboratory's page. It shows what /lab/state says, waits for news of it, and sends what its forms hold.
// Everything that came from outside goes into the page as text, never as markup.

const shown = new Map(); // "box/item" -> { node, mark, item, key }
const traces = new Map(); // trace name -> { data, mark }
let boxes = new Map(); // key -> section

/** An element with properties, attributes (`aria-…`, `role`) and children. */
function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

const spaced = (address) => address.replace(/^\+44(\d{4})(\d{6})$/, "+44 $1 $2");
const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const octets = (n) => (n < 1000 ? `${n} bytes` : n < 1e6 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);
/** The owner of an address, or the address; a phone's may be written as mail writes it. */
const named = (address) => {
  const plain = address.replace(`@${document.body.dataset.domain}`, "");
  const box = [...boxes.values()].find((box) => box.dataset.address === plain);
  return box ? box.dataset.owner : spaced(plain);
};

// ---- the boxes -------------------------------------------------------------------------------------------------

function makeBox(box, main) {
  const section = document.getElementById("box").content.firstElementChild.cloneNode(true);
  const mailbox = box.key === "mailbox";
  section.dataset.address = box.address;
  section.dataset.owner = box.owner;
  section.classList.toggle("mailbox", mailbox);
  const heading = section.querySelector("h2");
  heading.id = `box-${box.key}`;
  heading.textContent = mailbox ? `${box.owner}’s mailbox` : `${box.owner}’s phone`;
  section.setAttribute("aria-labelledby", heading.id);
  section.querySelector(".initial").textContent = box.owner[0];
  section.querySelector(".address").textContent = spaced(box.address);
  section.querySelector(".thread").setAttribute("aria-label", `Messages of ${heading.textContent}`);
  section.querySelector(".empty").textContent = mailbox ? "No mail yet. What phones send to a mail address arrives here." : "Nothing yet. What is sent to this number arrives here.";
  prepareForm(section, box);
  prepareKnobs(section, box);
  main.append(section);
  boxes.set(box.key, section);
  return section;
}

const NATURES = {
  walled_garden: (box) => box.reaches_us
    ? "The settings are installed: this phone now fetches from us."
    : "Her operator lets this phone reach its own MMSC and the web, but not us. What it cannot fetch arrives as a link.",
  asleep: (box) => box.on ? "Switched on." : "Switched off: the network keeps what is sent to it.",
  without_mms: () => "This phone has no MMS: it shows texts only, and opens links.",
};

/** What there is to turn on a phone: its switch, or a way out of the walled garden. */
function prepareKnobs(section, box) {
  const knobs = section.querySelector(".knobs");
  if (box.nature === "asleep") {
    const knob = el("button", { type: "button", className: "quiet switch", role: "switch" });
    knob.addEventListener("click", () => post(`/lab/${box.key}/switch`, { on: knob.getAttribute("aria-checked") !== "true" }));
    knobs.append(knob);
  }
  if (box.nature === "walled_garden") {
    const knob = el("button", { type: "button", className: "quiet", title: "As “packetboat provision” does" }, "Send settings");
    knob.addEventListener("click", () => post(`/lab/${box.key}/settings`, {}));
    knobs.append(knob);
  }
  if (box.nature === "without_mms") section.querySelector("form").hidden = true;
}

function showNature(section, box) {
  const words = NATURES[box.nature]?.(box) ?? "";
  const nature = section.querySelector(".nature");
  if (nature.textContent !== words) nature.textContent = words;
  nature.hidden = !words;
  section.classList.toggle("off", box.on === false);
  const knob = section.querySelector(".knobs .switch");
  if (!knob) return;
  knob.setAttribute("aria-checked", String(box.on));
  knob.textContent = box.on ? "Switch off" : "Switch on";
  knob.setAttribute("aria-label", `${box.owner}’s phone is ${box.on ? "on" : "off"}`);
}

function prepareForm(section, box) {
  const form = section.querySelector("form");
  form.setAttribute("aria-label", `Write as ${box.owner}`);
  for (const label of form.querySelectorAll(".field label")) {
    const input = label.nextElementSibling;
    input.id = `${input.name}-${box.key}`;
    label.htmlFor = input.id;
  }
  form.to.setAttribute("list", "contacts");
  form.to.placeholder = "Number or mail address";
  const chosen = form.querySelector(".chosen");
  const [preview, name, remove] = chosen.children;
  const choose = () => {
    const [file] = form.file.files;
    if (preview.src) URL.revokeObjectURL(preview.src);
    preview.removeAttribute("src");
    chosen.hidden = !file;
    if (!file) return;
    if (file.type.startsWith("image/")) preview.src = URL.createObjectURL(file);
    name.textContent = `${file.name}, ${octets(file.size)}`;
  };
  form.file.setAttribute("aria-label", "Picture or other file");
  form.file.addEventListener("change", choose);
  remove.addEventListener("click", () => {
    form.file.value = "";
    choose();
    form.file.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const submit = form.querySelector("[type=submit]");
    const result = form.querySelector(".result");
    submit.disabled = true;
    result.textContent = "";
    try {
      const [file] = form.file.files;
      await post(`/lab/${box.key}/send`, {
        to: form.to.value,
        subject: form.subject.value,
        text: form.text.value,
        file: file ? { name: file.name, data: await base64(file) } : undefined,
        delivery_report: form.delivery_report.checked,
        read_report: form.read_report.checked,
      });
      form.text.value = form.subject.value = form.file.value = "";
      choose();
    } catch (error) {
      result.textContent = error.message;
    }
    submit.disabled = false;
  });
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(file);
  });
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error ?? (answer.status === 413 ? "That is too large for the laboratory." : `The laboratory answered ${answer.status}.`));
}

// ---- messages --------------------------------------------------------------------------------------------------

function part(box, item, part, index) {
  const src = `/lab/${box.key}/${item.id}/${index}`;
  const whose = item.sent ? "you sent" : `from ${named(item.from)}`;
  switch (part.kind) {
    case "text":
      return part.text && el("p", {}, part.text);
    case "image":
      return el("a", { href: src, target: "_blank" }, el("img", { src, alt: `Picture “${part.name}” ${whose}; opens in full`, loading: "lazy" }));
    case "audio":
      return el("audio", { src, controls: true, "aria-label": `Sound “${part.name}” ${whose}` });
    case "video":
      return el("video", { src, controls: true, "aria-label": `Video “${part.name}” ${whose}` });
    default:
      return el("a", { className: "attached", href: src, download: part.name }, `${part.name} (${part.media}, ${octets(part.size)})`);
  }
}

const OUTCOMES = {
  Retrieved: "Delivered to", delivered: "Delivered to", Forwarded: "Passed on towards", relayed: "Passed on towards",
  Read: "Read by", displayed: "Read by", Rejected: "Refused by", Expired: "Expired before it reached",
  Unreachable: "Could not be delivered to", failed: "Could not be delivered to", Indeterminate: "Nothing is known of",
  "Deleted without being read": "Deleted unread by", deleted: "Deleted unread by",
};
const BAD = ["Rejected", "Expired", "Unreachable", "failed", "Indeterminate", "Deleted without being read", "deleted"];

function reported(report) {
  const words = OUTCOMES[report.outcome] ?? `${report.outcome}:`;
  return el("li", { className: BAD.includes(report.outcome) ? "bad" : "" }, `${words} ${named(report.who)}, ${clock(report.at)}`);
}

function standing(item) {
  if (item.stage === "fetching") return `A message of ${octets(item.size)} is being fetched…`;
  if (item.stage === "sending") return "Sending…";
  return "";
}

function draw(box, item) {
  const others = item.sent ? item.to : [item.from];
  const who = `${item.sent ? "to" : "from"} ${others.map(named).join(", ") || "nobody"}`;
  const waiting = standing(item);
  const asks = !item.sent && item.wants_read && item.stage === "here" && box.key !== "mailbox";
  const node = el("li", { className: `item${item.sent ? " sent" : ""}${item.report ? " report" : ""}` },
    el("div", { className: "meta" }, el("span", { className: "who" }, who), el("time", { dateTime: new Date(item.at).toISOString() }, clock(item.at))),
    el("div", { className: "body" },
      item.subject && el("h3", {}, item.subject),
      ...item.parts.map((each, index) => part(box, item, each, index)),
      waiting && el("p", { className: "waiting" }, waiting)),
    item.note && el("p", { className: "note" }, item.note),
    item.link && el("p", { className: "asked" }, el("a", { className: "button", href: item.link, target: "_blank", rel: "noopener noreferrer" }, "Open the page")),
    item.settings && installable(box, item),
    asks && asked(box, item),
    item.reports.length > 0 && el("ul", { className: "reports", "aria-label": "Reports" }, ...item.reports.map(reported)),
    item.trace && el("details", { className: "road" },
      el("summary", { "aria-label": "The road of this message" }, el("span", {}, "The road")),
      el("div", { className: "timeline" })));
  return node;
}

function asked(box, item) {
  if (item.read) return el("div", { className: "asked" }, "The sender was told that you read it.");
  const button = el("button", { type: "button", className: "quiet" }, "Send it");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await post(`/lab/${box.key}/${item.id}/read`, {});
    } catch (error) {
      button.disabled = false;
      button.textContent = error.message;
    }
  });
  return el("div", { className: "asked" }, el("span", {}, "The sender asks for a read report."), button);
}

function installable(box, item) {
  if (item.installed) return el("div", { className: "asked" }, "Installed.");
  const button = el("button", { type: "button", className: "quiet" }, "Install");
  button.addEventListener("click", () => post(`/lab/${box.key}/${item.id}/install`, {}));
  return el("div", { className: "asked" }, el("span", {}, "Settings are for you to install."), button);
}

// ---- the road --------------------------------------------------------------------------------------------------

const TO_PHONE = [["accepted", "accepted"], ["routed", "routed"], ["notified", "push_sent"], ["fetched", "fetched"], ["retrieved", "retrieved"]];
const BY_LINK = [["accepted", "accepted"], ["notified", "push_sent"], ["no fetch", "next_step"], ["link sent", "link_sent"], ["opened", "link_opened"]];
const LINK_ONLY = [["accepted", "accepted"], ["routed", "routed"], ["link sent", "link_sent"], ["opened", "link_opened"]];
const TO_MAIL = [["accepted", "accepted"], ["routed", "routed"], ["handed over", "handed_over"], ["delivered", "delivered"]];
const REPORT = [["accepted", "accepted"], ["routed", "routed"], ["told", "handed_over"]];
const ENDED_BADLY = ["rejected", "expired", "failed", "quarantined"];

function after(start, at) {
  const ms = Math.max(0, Date.parse(at) - start);
  return ms < 10000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

function stations(delivery, start, isReport) {
  const seen = new Map(delivery.timeline.map((line) => [line.what, line.at]).reverse());
  const toPhone = seen.has("retrieved") ? TO_PHONE : seen.has("next_step") ? BY_LINK : delivery.route[0]?.via === "wap_push" ? LINK_ONLY : TO_PHONE;
  const road = isReport ? REPORT : delivery.to.includes("@") ? TO_MAIL : toPhone;
  if (seen.has("accepted")) seen.set("routed", seen.get("accepted")); // the route is part of what was accepted
  const reached = road.filter(([, what]) => seen.has(what)).map(([, what]) => what);
  const last = ENDED_BADLY.includes(delivery.state) ? reached.at(-1) : undefined;
  return el("ol", { className: "stations", "aria-label": `To ${named(delivery.to)}: ${delivery.state}` },
    ...road.map(([word, what]) => {
      const at = seen.get(what);
      const state = at ? (what === last ? "there ended" : "there") : "";
      return el("li", { className: state }, word, el("small", {}, at ? after(start, at) : "–"));
    }));
}

function timeline(trace, deliveries, start) {
  return [
    ...deliveries.flatMap((delivery) => [
      el("h4", {}, `To ${named(delivery.to)} `, el("span", {}, `${delivery.state}${delivery.reason ? `: ${delivery.reason}` : ""}`)),
      el("ol", {}, ...delivery.timeline.map((line) => el("li", {},
        el("time", { dateTime: line.at }, after(start, line.at)),
        el("span", {}, line.what.replaceAll("_", " ")),
        el("span", { className: "detail" }, line.detail)))),
    ]),
    el("h4", {}, "On the command line"),
    el("code", {}, `packetboat trace ${trace.id} --config ${document.body.dataset.config}`),
  ];
}

/** Fetches the trace of a message that may have moved, and draws its road. */
async function follow(entry) {
  const { item, node } = entry;
  if (!item.trace) return;
  const answer = await fetch(`/api/trace/${encodeURIComponent(item.trace)}`).catch(() => undefined);
  if (!answer?.ok) return;
  const trace = await answer.json();
  const { address } = boxes.get(entry.key).dataset;
  const mine = trace.deliveries.filter((delivery) => delivery.id === item.trace || delivery.to === address);
  const deliveries = item.sent || mine.length === 0 ? trace.deliveries : mine;
  const start = Date.parse(trace.received);
  entry.moving = deliveries.some((delivery) => ["queued", "waiting"].includes(delivery.state));
  const road = node.querySelector(".road");
  if (!road) return; // drawn anew meanwhile
  road.querySelector("summary").replaceChildren(...deliveries.map((delivery) => stations(delivery, start, trace.kind !== "personal")));
  road.querySelector(".timeline").replaceChildren(...timeline(trace, deliveries, start));
}

// ---- news ------------------------------------------------------------------------------------------------------

function show(state) {
  const main = document.getElementById("boxes");
  const { config } = document.body.dataset;
  if (config && config !== state.config) location.reload(); // another laboratory than before
  document.body.dataset.config = state.config;
  document.body.dataset.domain = state.domain;
  if (boxes.size === 0) {
    state.boxes.forEach((box) => makeBox(box, main));
    introduce(state);
    main.setAttribute("aria-busy", "false");
  }
  const fresh = [];
  for (const box of state.boxes) {
    const section = boxes.get(box.key);
    showNature(section, box);
    const list = section.querySelector(".thread ol");
    section.querySelector(".empty").hidden = box.items.length > 0;
    const ids = new Set(box.items.map((item) => `${box.key}/${item.id}`));
    for (const [id, entry] of shown) {
      if (entry.key === box.key && !ids.has(id)) {
        entry.node.remove();
        shown.delete(id);
      }
    }
    for (const item of box.items) fresh.push(...place(box, item, list));
  }
  for (const entry of shown.values()) {
    if (fresh.includes(entry) || entry.moving || entry.node.querySelector(".road[open]")) follow(entry);
  }
}

/** Puts a message where it belongs, or a changed one in its old place. Gives what is new. */
function place(box, item, list) {
  const id = `${box.key}/${item.id}`;
  const mark = JSON.stringify(item);
  const old = shown.get(id);
  if (old?.mark === mark) return [];
  const node = draw(box, item);
  const entry = { node, mark, item, key: box.key, moving: true };
  shown.set(id, entry);
  if (old) {
    node.style.animation = "none";
    const road = node.querySelector(".road");
    const before = old.node.querySelector(".road");
    if (road && before) road.replaceWith(before); // keeps it open, and the focus on it
    old.node.replaceWith(node);
  } else {
    list.append(node);
  }
  const thread = list.parentElement;
  const top = node.offsetTop - thread.offsetTop - 14;
  if (!old || thread.scrollTop > top) thread.scrollTop = top;
  return [entry];
}

function introduce(state) {
  const contacts = state.boxes.map((box) => el("option", { value: box.address }, box.owner));
  document.getElementById("contacts").replaceChildren(...contacts);
  const rows = [
    ["Mail in", `${state.smtp}, to NUMBER@${state.domain}`],
    ...state.boxes.filter((box) => box.mmsc).map((box) => [`${box.owner}’s MMSC`, box.mmsc]),
    ["Health", `${location.origin}/health`],
    ["Send", `packetboat send --server ${state.smtp} --to ${state.boxes[0].address} --photo FILE`],
    ["Queue", `packetboat queue list --config ${state.config}`],
  ];
  document.getElementById("reach").replaceChildren(...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  const [first, second] = state.boxes;
  boxes.get(first.key).querySelector("form").to.value = second.address;
  boxes.get(second.key).querySelector("form").to.value = first.address;
  boxes.get("mailbox").querySelector("form").to.value = first.address;
}

function ended(text) {
  const ending = document.getElementById("ending");
  if (ending.textContent !== text) ending.textContent = text;
  ending.hidden = !text;
}

async function watch() {
  let version;
  for (;;) {
    try {
      const answer = await fetch(version === undefined ? "/lab/state" : `/lab/state?after=${version}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      version = state.version;
      show(state);
      ended(state.ending ? "The laboratory is ending." : "");
      if (state.ending) throw new Error("ending");
    } catch {
      ended("The laboratory has ended. Start it again with “packetboat lab”; this page will find it.");
      version = undefined;
      await new Promise((resume) => setTimeout(resume, 2000));
    }
  }
}

watch();
