//! The `<conference/>` question, which reaches Jicofo through `focus.DOMAIN` and a roster entry.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::cases::{Cases, are_here, find};
use super::signalling::{Round, conference_room};
use super::site::{DOMAIN, Server, Site, Transport, Visit, public_folder};
use super::standin_focus::StandinFocus;
use super::xmpp::{Client, Element, Refusal, Wire};

fn ask(stream: &mut dyn Wire, room: &str) -> Result<Element, Refusal> {
    let question = format!(
        "<conference xmlns='http://jitsi.org/protocol/focus' room='{room}' machine-uid='m'/>"
    );
    stream.ask("set", &format!("focus.{DOMAIN}"), &question)
}

/// A browser's question arrives, is answered, and makes the room.
pub(crate) fn through_the_proxy(round: &mut Round<'_>) {
    let room = round.room("asked");
    let address = conference_room(&room);
    let token = round.site.desk.token(&room, true);
    let mut bearer = round.bearer(&room, &token);
    let answer = ask(&mut *bearer, &address);
    let ready = answer.map(|answer| {
        let said = answer
            .find("conference")
            .and_then(|said| said.attribute("ready"));
        said.unwrap_or(&answer.raw).to_owned()
    });
    let name = round.named("Jicofo answers through focus.");
    round.cases.same(&name, ready, Ok("true".to_owned()));
    let questions = round.focus.questions();
    let arrived = questions.iter().any(|question| question.room == address);
    let name = round.named("the question arrived");
    round
        .cases
        .holds(&name, arrived, || format!("{questions:?}"));
    let join = bearer.join(&address, "asker");
    round.standing("who asked for the room gets in", join, "owner", "moderator");
    let _ = bearer.close();
    round.focus.leave_room(&address);
}

/// A Prosody whose roster file was lost before its first start. This is what the file is for.
#[test]
fn without_the_roster_file_no_question_arrives() {
    let (true, Some(prosody)) = (are_here(&["prosody", "nginx"]), find("prosody")) else {
        return;
    };
    let ours = public_folder();
    let script = ours.path().join("prosody");
    let text = format!(
        "#!/bin/sh\n# prosody -F --config FOLDER/etc/prosody/prosody.cfg.lua\n\
         rm \"${{3%%/etc/prosody/*}}\"/var/lib/prosody/*/roster/focus.dat || exit 9\n\
         exec '{}' \"$@\"\n",
        prosody.display()
    );
    fs::write(&script, text).expect("the folder is ours");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");

    let site = Site::start_with(Server::Nginx, Some(ours.path()));
    let mut cases = Cases::new("without the roster file");
    let auth = format!("auth.{DOMAIN}");
    let focus = StandinFocus::start(site.c2s, &auth, site.auth_trust(), &site.focus_password);
    if let Some(focus) = cases.must("focus starts", focus) {
        let token = site.desk.token("lost", true);
        let mut bearer = site.visit(&Visit {
            transport: Transport::Websocket,
            host: DOMAIN,
            tenant: "",
            query: &[("room", "lost"), ("token", &token)],
            headers: &[],
        });
        cases.must("a good token connects", bearer.login_anonymous());
        let answer = ask(&mut *bearer, &conference_room("lost"));
        let refused = matches!(&answer, Ok(answer) if answer.find("service-unavailable").is_some());
        cases.holds("the question is refused", refused, || format!("{answer:?}"));
        cases.same("nothing arrives", focus.questions(), Vec::new());
    }
    drop(site);
    cases.finish();
}
