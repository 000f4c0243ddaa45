//! Meeting tokens: which are accepted, what they grant, and what the refused ones hear.

use super::mint::{now, signed};
use super::signalling::{Round, conference_room};
use super::site::DOMAIN;
use super::xmpp::Client;

/// None of these gets on the token host.
pub(crate) fn refused(round: &mut Round<'_>) {
    let desk = round.site.desk.clone();
    let room = round.room("refused");
    let good = desk.claims(&room);
    let forged = signed(
        "HS256",
        &good,
        "another secret, just as long as ours, or so",
    );
    let with_none = signed("none", &good, "");
    let swapped = {
        let honest = desk.token("other", false);
        let (_, signature) = honest.rsplit_once('.').unwrap_or_default();
        let (text, _) = forged.rsplit_once('.').unwrap_or_default();
        format!("{text}.{signature}")
    };
    let table = [
        ("forged", Some(forged), "Invalid signature"),
        (
            "another token's signature",
            Some(swapped),
            "Invalid signature",
        ),
        (
            "expired",
            Some(desk.spoiled(&room, "exp", now() - 5)),
            "Not acceptable by exp",
        ),
        (
            "not yet valid",
            Some(desk.spoiled(&room, "nbf", now() + 300)),
            "Not acceptable by nbf",
        ),
        (
            "wrong issuer",
            Some(desk.spoiled(&room, "iss", "mallory")),
            "invalid 'iss' claim",
        ),
        (
            "wrong audience",
            Some(desk.spoiled(&room, "aud", "elsewhere")),
            "invalid 'aud' claim",
        ),
        (
            "HS512",
            Some(signed("HS512", &good, &desk.secret)),
            "Invalid or incorrect alg",
        ),
        ("alg none", Some(with_none.clone()), "Invalid"),
        (
            "alg none with a signature",
            Some(format!("{with_none}QUFB")),
            "Invalid or incorrect alg",
        ),
        ("garbage", Some("garbage".to_owned()), "Invalid token"),
        ("empty", Some(String::new()), "Invalid token"),
        ("missing", None, "token required"),
    ];
    for (name, token, text) in table {
        let mut stream = round.with_token(&room, token.as_deref());
        let got = stream.login_anonymous();
        let name = round.named(&format!("token {name} is refused"));
        let fits = matches!(&got, Err(refusal) if refusal.condition == "not-allowed" && refusal.text.starts_with(text));
        round.cases.holds(&name, fits, || {
            format!("got  {got:?}\n    want not-allowed: {text}")
        });
    }
}

/// A good token opens its room, once Jicofo has made it, and no other.
pub(crate) fn rooms(round: &mut Round<'_>) {
    let desk = round.site.desk.clone();
    let room = round.room("tokens");
    let address = conference_room(&room);

    let mut member = round.bearer(&room, &desk.token(&room, false));
    let early = member.join(&address, "early");
    round.refused("nobody enters before Jicofo", &early, "not-allowed", "");
    let made = round.focus.create_room(&address);
    round.standing("Jicofo owns its rooms", made, "owner", "moderator");

    let mut thief = round.bearer(&room, &desk.token("elsewhere", true));
    let join = thief.join(&address, "thief");
    round.refused(
        "a token for another room",
        &join,
        "not-allowed",
        "Room and token mismatched",
    );

    let join = member.join(&address, "member");
    round.standing("a plain token", join, "member", "participant");
    let mut owner = round.bearer(&room, &desk.token(&room, true));
    let join = owner.join(&address, "owner");
    round.standing("a moderator's token", join, "owner", "moderator");
    let mut roamer = round.bearer(&room, &desk.token("*", false));
    let join = roamer.join(&address, "roamer");
    round.standing("a token for every room", join, "member", "participant");
    for mut stream in [member, owner, roamer, thief] {
        let _ = stream.close();
    }
    round.focus.leave_room(&address);
}

/// `/TENANT/ROOM`: the subject is the tenant, and the room is another one than `/ROOM`.
pub(crate) fn tenants(round: &mut Round<'_>) {
    let desk = round.site.desk.clone();
    let room = round.room("daily");
    let outer = format!("{room}@conference.acme.{DOMAIN}");
    let made = round.focus.create_room(&outer);
    round.standing("Jicofo owns a tenant's room", made, "owner", "moderator");

    let own = desk.token_for("acme", &room, true);
    let mut tenant = round.with_token_below("acme", &room, Some(&own));
    let name = round.named("a tenant's token connects");
    round.cases.must(&name, tenant.login_anonymous());
    let join = tenant.join(&outer, "tenant");
    round.standing(
        "a tenant's token opens the tenant's room",
        join,
        "owner",
        "moderator",
    );

    let site_wide = desk.token(&room, true);
    let mut stranger = round.with_token_below("acme", &room, Some(&site_wide));
    let name = round.named("the site's token connects below a tenant");
    round.cases.must(&name, stranger.login_anonymous());
    let join = stranger.join(&outer, "stranger");
    round.refused(
        "the site's token does not open a tenant's room",
        &join,
        "not-allowed",
        "Room and token mismatched",
    );
    let root = conference_room(&room);
    round.focus.create_room(&root);
    let join = tenant.join(&root, "tenant");
    round.refused(
        "a tenant's token does not open the site's room",
        &join,
        "not-allowed",
        "Room and token mismatched",
    );
    for mut stream in [tenant, stranger] {
        let _ = stream.close();
    }
    round.focus.leave_room(&outer);
    round.focus.leave_room(&root);
}

/// `Authorization` neither helps nor harms: the web server keeps it to itself.
pub(crate) fn headers(round: &mut Round<'_>) {
    let room = round.room("headers");
    let token = round.site.desk.token(&room, true);
    let bearer = format!("Bearer {token}");
    let all = [("Basic", "Basic Zm9vOmJhcg=="), ("Bearer", bearer.as_str())];
    for (scheme, value) in all {
        let header = ("Authorization", value);
        let mut stream = round.with_header(DOMAIN, &[("room", &room), ("token", &token)], header);
        let name = round.named(&format!("{scheme} does not harm a good token"));
        round.cases.must(&name, stream.login_anonymous());
        let _ = stream.close();

        let mut stream = round.with_header(DOMAIN, &[("room", &room)], header);
        let got = stream.login_anonymous().map_err(|refusal| refusal.text);
        let name = round.named(&format!("{scheme} does not stand for a token"));
        round
            .cases
            .same(&name, got, Err("token required".to_owned()));
    }
}
