//! Mistakes in the config are named with their place and remedy, before the first message, and without a secret.

mod support;

use std::sync::Arc;

use support::{World, build};

/// What `packetboat check` says of settings that cannot work.
fn refused(toml: &str) -> String {
    match build(toml, Arc::<World>::default()) {
        Ok(_) => panic!("taken: {toml}"),
        Err(errors) => errors.join("\n"),
    }
}

#[test]
fn templates_name_line_column_and_remedy() {
    let url = |template: &str| refused(&format!("window = 3\n\n[text]\nmethod = \"GET\"\nurl = '''{template}'''"));
    assert_eq!(
        url("http://gw.example/?\n  to={{ to | percnt }}"),
        "packetboat.toml:5:1: bearer.gw.text.url: line 2, column 14 of the template: filter percnt is unknown; the filters are hex, \
         hex_upper, base64, percent, json, ucs2"
    );
    assert!(url("http://gw.example/?to={{ to").starts_with("packetboat.toml:5:1: bearer.gw.text.url: line 1, column "));
    assert!(url("http://gw.example/?to={{ to").contains("; placeholders are {{ to }} or"));
    let unknown = url("http://gw.example/?to={{ recipient }}");
    assert!(
        unknown
            .contains("line 1, column 26 of the template: `recipient` is undefined; the variables are to, to_digits"),
        "{unknown}"
    );
    assert!(url("http://gw.example/?x={{ udh }}").contains("these are octets; say how they are written: | hex,"));
    assert!(url("http://gw.example/?x={{ callback_url }}").contains("`callback_url` is undefined"), "nobody listens");
    assert!(url("http://gw.example/?x={{ destination_port }}").contains("destination_port"), "words have no ports");
    assert!(
        url("http://gw.example/?x={% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}")
            .contains("too many steps")
    );
    let not_an_address = "packetboat.toml:5:1: bearer.gw.text.url: what the template makes is not an address; write values in it as \
                          {{ text | percent }}";
    for template in ["http://gw.example/?x={{ text }} and", "ftp://gw.example/", "gw.example/x", "http:///x"] {
        assert_eq!(url(template), not_an_address, "{template}");
    }
}

#[test]
fn places_of_bodies_and_headers_are_named() {
    let start = "push.url = \"http://gw.example/\"\n";
    let body = refused(&format!("{start}push.body = '{{{{ data }}}}'"));
    assert!(body.starts_with("packetboat.toml:2:6: bearer.gw.push.body: line 1, column "), "{body}");
    let json = refused(&format!("{start}push.body = '{{{{ data | json }}}}'"));
    assert!(json.contains("json wants words or a number, and this is octets"), "{json}");
    let header = refused(&format!("{start}push.headers = {{ X-Key = \"{{{{ secrets.kee }}}}\" }}"));
    assert!(header.starts_with("packetboat.toml:2:6: bearer.gw.push.headers: x-key: line 1, column 4"), "{header}");
    assert!(
        refused(&format!("{start}push.headers = {{ \"X Key\" = \"1\" }}"))
            .contains("X Key: is not the name of a header field")
    );
    assert!(refused(&format!("{start}push.method = \"FETCH\"")).contains("push.method: \"FETCH\" is not GET, POST"));
    assert!(
        refused(&format!("{start}push.method = \"GET\"\npush.body = \"x\"")).contains("push.body: a GET has no body")
    );
    assert!(refused("text.body = \"x\"").contains("bearer.gw.text.url: there is a request without an address"));
    assert!(refused("").contains("bearer.gw.push.url: say the request for pushes"));
    assert!(refused(&format!("{start}push.bdy = \"x\"")).contains("did you mean \"body\"?"));
}

#[test]
fn what_cannot_be_is_refused_by_its_key() {
    let rows = [
        ("window = 0", "window: 0 is not from 1 to 1000"),
        ("success.status = [\"2x\"]", "success.status: \"2x\" is not a status"),
        ("success.status = [\"900\"]", "success.status: \"900\""),
        ("success.status = []", "success.status: without a status nothing succeeds"),
        ("success.json = \"/status\"", "success.json: says where, and success.matches does not say what"),
        (
            "success.json = \"status\"\nsuccess.matches = \"x\"",
            "success.json: \"status\" is not a JSON pointer; write \"/status\"",
        ),
        ("success.matches = \"(\"", "success.matches: is not a regular expression"),
        ("permanent = \"[\"", "permanent: is not a regular expression"),
        ("id = { json = \"/id\", header = \"X-Id\" }", "id: is in one place"),
        ("secrets.key = { file = \"none\" }", "secrets: key: the secret file"),
        ("username = \"u\"", "password: a user wants a password"),
        ("password = { file = \"password\" }", "username: a password wants a user"),
        ("bearer_token = { file = \"token\" }\npassword = { file = \"password\" }", "bearer_token: say a password or"),
        ("callback_listen = [\"8014\"]", "callback_listen: \"8014\" is not an address and a port"),
        ("callback_public_url = \"gw.example\"", "callback_public_url: \"gw.example\" is not an http:// or https://"),
        ("callback_listen = [\"127.0.0.1:0\"]\nreceipts.status = \"s\"", "callback_secret: receipts want a secret"),
        (
            "callback_listen = [\"127.0.0.1:0\"]\nreceipts.status = \"s\"\ncallback_secret = { file = \"short\" }",
            "callback_secret: is shorter than 16 characters",
        ),
        ("arrivals.from = \"from\"", "arrivals: nobody may bring short messages"),
        ("arrivals.token = { file = \"token\" }", "arrivals.from: say where the sender of a short message stands"),
        (
            "arrivals = { from = \"f\", token = { file = \"token\" } }",
            "arrivals: say where the text, data or user_data",
        ),
        (
            "arrivals = { from = \"f\", text = \"t\", token = { file = \"short\" } }",
            "arrivals.token: the token has to be 16",
        ),
        ("number_format = \"0\"", "number_format: "),
        ("ca_file = \"none.pem\"", "ca_file: "),
    ];
    for (toml, expected) in rows {
        let said = refused(&format!("text.url = \"http://gw.example/\"\n{toml}"));
        assert!(said.contains(&format!("bearer.gw.{expected}")), "{toml}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn no_secret_is_ever_said() {
    let toml = "[secrets]\ntoken = { file = \"token\" }\n[text]\nurl = \"http://gw.example/?{{ secrets.token }}&{{ text }} \\u0001\"";
    assert!(!refused(toml).contains("s3cret"));
    for wrong in
        ["{{ secrets.token.first }}", "{{ secrets.token | frst }}", "{{ 1 / secrets.token }}", "{{ secrets | json }}"]
    {
        let said = refused(&toml.replace("{{ secrets.token }}", wrong));
        assert!(said.contains("bearer.gw.text.url: line 1, column ") && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn the_examples_of_the_readme_work() {
    let readme = include_str!("../README.md");
    let examples: Vec<_> = readme.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let table = example.find("[bearer.").unwrap();
        let mut toml = example[table..].split_once('\n').unwrap().1.replace("plugin = \"http_sms\"\n", "");
        let name = example[table + "[bearer.".len()..].split(']').next().unwrap();
        toml = toml.replace(&format!("[bearer.{name}."), "[").replace("/etc/packetboat/", "");
        build(&toml, Arc::<World>::default()).unwrap_or_else(|errors| panic!("{}\n{toml}", errors.join("\n")));
    }
}
