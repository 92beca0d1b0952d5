//! The program as its users call it: what it prints, where, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use std::path::PathBuf;
use std::process::{Command, Output};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("tollgate-command-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(self).args(arguments).output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(&folder.0).env_clear();
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const GOOD: &str = "providers:\n  play: { kind: simulated }\nteams:\n  search: {}\n";

#[test]
fn check_says_what_is_wrong_and_where() {
    let folder = Folder::new("check");
    folder.write("good.yaml", GOOD);
    let good = folder.run(&["check", "good.yaml"]);
    assert_eq!(good.status.code(), Some(0));
    assert_eq!(
        text(&good.stdout),
        "good.yaml is good: 1 provider, 0 models, 2 teams, 0 keys\n  play (simulated): data nothing is known\n"
    );

    let data = "providers:\n  gpt: { kind: openai-compatible, base_url: \"http://127.0.0.1:9/v1\", data: { region: eu, retention: 1d, trains: false, baa: true } }\n";
    folder.write("data.yaml", data);
    let said = folder.run(&["check", "data.yaml"]);
    let terms =
        "gpt (openai-compatible): data processed in eu, kept 1 day, not trained on, with a BAA";
    assert!(text(&said.stdout).contains(terms), "{}", text(&said.stdout));
    let said = folder.run(&["check", "--json", "data.yaml"]);
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["providers"][0]["data"]["retention_days"], 1);

    folder.write("bad.yaml", "providers:\n  play: { kind: simulatd }\nlimts: {}\n");
    let bad = folder.run(&["check", "bad.yaml"]);
    assert_eq!(bad.status.code(), Some(1));
    let said = text(&bad.stdout);
    assert!(said.contains("bad.yaml:2:17: providers.play.kind: "), "{said}");
    assert!(said.contains("did you mean `simulated`?"), "{said}");
    assert!(said.contains("bad.yaml:3:1: limts: "), "{said}");
    assert!(said.ends_with("2 faults to mend\n"), "{said}");

    let bad = folder.run(&["check", "--json", "bad.yaml"]);
    assert_eq!(bad.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(said["valid"], false);
    assert_eq!(said["refusals"][1]["line"], 3);
    assert_eq!(said["refusals"][1]["path"], "limts");

    let absent = folder.run(&["check", "absent.yaml"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(text(&absent.stdout).starts_with("absent.yaml: "));
}

#[test]
fn schema_is_a_schema() {
    let printed = Folder::new("schema").run(&["schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["providers"].is_object());
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let folder = Folder::new("keys");
    let made = folder.run(&["keys", "create", "--name", "ci"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let key = text(&made.stdout).lines().next().unwrap().to_owned();
    assert!(tollgate_store::is_well_formed(&key), "{key}");

    let signed = folder.run(&["keys", "aws", "ci", "--json"]);
    let signed: serde_json::Value = serde_json::from_slice(&signed.stdout).unwrap();
    assert!(signed["access_key_id"].as_str().unwrap().starts_with("TGAK"));
    let shown = folder.run(&["keys", "aws", "ci"]);
    let secret = signed["secret_access_key"].as_str().unwrap();
    assert!(text(&shown.stdout).contains(&format!("AWS_SECRET_ACCESS_KEY={secret}")));
    assert_eq!(folder.run(&["keys", "aws", "other"]).status.code(), Some(1));

    let twice = folder.run(&["keys", "create", "--name", "ci"]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(text(&twice.stderr).contains("exists already"));

    let listed = folder.run(&["keys", "list", "--json"]);
    let keys: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((keys[0]["name"].as_str(), keys[0]["revoked"].as_str()), (Some("ci"), None));
    assert!(!text(&listed.stdout).contains(&key));

    assert_eq!(folder.run(&["keys", "revoke", "ci"]).status.code(), Some(0));
    assert_eq!(folder.run(&["keys", "revoke", "ci"]).status.code(), Some(1));
    let listed = folder.run(&["keys", "list"]);
    assert!(text(&listed.stdout).contains("revoked"), "{}", text(&listed.stdout));
}

#[test]
fn a_key_needs_a_plain_name_and_a_team_that_exists() {
    let folder = Folder::new("names");
    folder.write("tollgate.yaml", GOOD);
    for (arguments, says) in [
        (vec!["--name", "a b"], "cannot be the name"),
        (vec!["--name", "../x"], "cannot be the name"),
        (vec!["--name", "a", "--team", "serch"], "did you mean `search`?"),
    ] {
        let mut all = vec!["keys", "create", "--config", "tollgate.yaml"];
        all.extend(arguments);
        let refused = folder.run(&all);
        assert_eq!(refused.status.code(), Some(1), "{all:?}");
        assert!(text(&refused.stderr).contains(says), "{}", text(&refused.stderr));
    }
    let made = folder.run(&[
        "keys",
        "create",
        "--config",
        "tollgate.yaml",
        "--name",
        "a",
        "--team",
        "search",
    ]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
}

#[test]
fn arguments_that_make_no_sense_are_a_fault_of_their_own() {
    let folder = Folder::new("usage");
    for arguments in [vec![], vec!["serv"], vec!["check"], vec!["keys", "create"]] {
        assert_eq!(folder.run(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_simulator_that_cannot_listen_says_so() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let refused = Folder::new("simulate").run(&["simulate", "--listen", &address]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("cannot be listened on"), "{}", text(&refused.stderr));
}

#[test]
fn what_is_known_of_models_is_shown() {
    let folder = Folder::new("catalogue");
    let about = folder.run(&["catalogue", "show"]);
    assert!(text(&about.stdout).starts_with("# tollgate catalogue 1\n"), "{}", text(&about.stdout));
    let one = folder.run(&["catalogue", "show", "openai/gpt-4o"]);
    let said = text(&one.stdout);
    for line in ["openai/gpt-4o: chat", "context     128000", "released    2024-05-13", "batch"] {
        assert!(said.lines().any(|have| have == line), "{line}: {said}");
    }
    assert!(said.contains("2.5 $ for a million"), "{said}");
    let many = folder.run(&["catalogue", "show", "anthropic"]);
    assert!(text(&many.stdout).contains("claude-sonnet-4-5"), "{}", text(&many.stdout));
    let none = folder.run(&["catalogue", "show", "nobody"]);
    assert_eq!(none.status.code(), Some(1));
    folder.write("broken.tsv", "# tollgate catalogue 1\nopenai\tx\tpoetry\n");
    let broken = folder.run(&["catalogue", "show", "openai", "--file", "broken.tsv"]);
    assert!(text(&broken.stderr).contains("line 2"), "{}", text(&broken.stderr));
    folder.write("with.yaml", "catalogue: broken.tsv\nproviders: { play: { kind: simulated } }\n");
    let refused = folder.run(&["check", "with.yaml"]);
    assert!(
        text(&refused.stdout).contains("with.yaml:1:12: catalogue: "),
        "{}",
        text(&refused.stdout)
    );
}
