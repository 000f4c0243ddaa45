//! Pages with every form of an include, good and bad.

use super::*;

fn map(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

fn made(files: &[(&str, &str)]) -> Pages {
    prerender(&map(files), &BTreeMap::new()).unwrap()
}

fn refused(files: &[(&str, &str)]) -> String {
    prerender(&map(files), &BTreeMap::new())
        .unwrap_err()
        .to_string()
}

#[test]
fn includes_in_every_spelling() {
    let made = made(&[
        (
            "index.html",
            "<!--#include virtual=\"a.html\" -->|<!--#include virtual=\"a.html\"-->|\
                 <!--# include virtual='/a.html' -->|<!--#include wait=\"yes\" virtual=\"./a.html\" -->|\
                 <!--#include virtual=\"/a.html?v=1\" -->",
        ),
        ("a.html", "A"),
    ]);
    assert_eq!(made.pages, map(&[("index.html", "A|A|A|A|A")]));
    assert!(made.notes.is_empty());
}

#[test]
fn a_path_is_relative_to_the_file_it_stands_in() {
    let made = made(&[
        (
            "/index.html",
            "<!--#include virtual=\"static/outer.html\" -->",
        ),
        (
            "/static/outer.html",
            "[<!--#include virtual=\"inner.html\" -->]",
        ),
        ("/static/inner.html", "inner"),
        ("/inner.html", "wrong one"),
    ]);
    assert_eq!(made.pages["/index.html"], "[inner]");
    assert_eq!(made.pages["/static/outer.html"], "[inner]");
    assert_eq!(made.pages.len(), 2);
}

#[test]
fn only_pages_with_an_include_and_the_index() {
    let made = made(&[
        ("index.html", "plain"),
        (
            "static/plain.html",
            "<!-- a comment --><!--#echo var=\"x\" -->",
        ),
        (
            "static/close.html",
            "<!--#include virtual=\"/title.html\" -->",
        ),
        ("title.html", "T"),
        ("libs/app.js", "<!--#include virtual=\"/title.html\" -->"),
    ]);
    assert_eq!(
        made.pages,
        map(&[("index.html", "plain"), ("static/close.html", "T")])
    );
}

#[test]
fn what_is_missing_is_empty_and_noted_once() {
    let made = made(&[(
        "index.html",
        "<<!--#include virtual=\"gone.html\" --><!--#include virtual=\"gone.html\" -->>",
    )]);
    assert_eq!(made.pages["index.html"], "<>");
    assert_eq!(
        made.notes,
        ["`/index.html` includes `/gone.html`, which is missing"]
    );
}

#[test]
fn other_directives_become_empty_and_open_ones_stay() {
    let made = made(&[(
        "index.html",
        "a<!--#echo var=\"subdir\" default=\"\" -->b<!--# set var=\"x\" value=\"y\" -->c<!--#includes virtual=\"x\" -->d<!-- e --><!--#include f",
    )]);
    assert_eq!(made.pages["index.html"], "abcd<!-- e --><!--#include f");
}

#[test]
fn a_circle_names_its_chain() {
    assert_eq!(
        refused(&[
            ("index.html", "<!--#include virtual=\"a.html\" -->"),
            ("a.html", "<!--#include virtual=\"index.html\" -->"),
        ]),
        "pages include each other in a circle: `/a.html` → `/index.html` → `/a.html`"
    );
    assert_eq!(
        refused(&[("index.html", "<!--#include virtual=\"index.html\" -->")]),
        "pages include each other in a circle: `/index.html` → `/index.html`"
    );
}

#[test]
fn five_levels_and_no_more() {
    let mut files: Vec<(String, String)> = (0..5)
        .map(|n| {
            (
                format!("{n}.txt"),
                format!("{n}<!--#include virtual=\"{}.txt\" -->", n + 1),
            )
        })
        .collect();
    files.push((
        "index.html".to_owned(),
        "<!--#include virtual=\"1.txt\" -->".to_owned(),
    ));
    files.push(("5.txt".to_owned(), "5".to_owned()));
    let mut files: BTreeMap<_, _> = files.into_iter().collect();
    assert_eq!(
        prerender(&files, &BTreeMap::new()).unwrap().pages["index.html"],
        "12345"
    );
    files.insert(
        "index.html".to_owned(),
        "<!--#include virtual=\"0.txt\" -->".to_owned(),
    );
    let error = prerender(&files, &BTreeMap::new()).unwrap_err().to_string();
    assert!(
        error.starts_with("includes are nested deeper than 5 files: `/index.html` → `/0.txt`"),
        "{error}"
    );
}

#[test]
fn no_way_out_of_the_root() {
    for path in [
        "../etc/passwd",
        "/../x",
        "a/../../x",
        "a/..",
        "%2e%2e/x",
        "..\\x",
    ] {
        let page = format!("<!--#include virtual=\"{path}\" -->");
        let error = refused(&[("index.html", &page)]);
        assert_eq!(
            error,
            format!("`/index.html` includes `{path}`, which leaves the web application's folder")
        );
    }
}

#[test]
fn our_scripts_cannot_end_the_element_around_them() {
    let made = prerender(
            &map(&[
                ("index.html", "<script><!--#include virtual=\"/config.js\" --></script>"),
                ("config.js", "theirs"),
            ]),
            &map(&[(
                "/config.js",
                "var t='<!--# echo var=\"t\" default=\"\" -->',a='</script>',b='</SCRIPT',c='<!-- <b>',d=1<2,e='<é';",
            )]),
        )
        .unwrap();
    assert_eq!(
        made.pages["index.html"],
        "<script>var t='',a='<\\/script>',b='<\\/SCRIPT',c='<\\!-- <b>',d=1<2,e='<é';</script>"
    );
}
