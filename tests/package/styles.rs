//! Each style that compiles, on a toy of a few lines whose sources are made here.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cases::{Cases, are_here};
use super::verb::{Desk, names, said};

/// Name, what stands in the catalogue of it, its files, the programs that building takes, and the path and words
/// of what comes out: a program that says them, or a file that holds them.
struct Style {
    name: &'static str,
    piece: &'static str,
    files: &'static [(&'static str, &'static str)],
    takes: &'static [&'static str],
    gives: (&'static str, &'static str),
}

const STYLES: &[Style] = &[
    Style {
        name: "autotools",
        piece: "[piece.build]\nconfigure = [\"--prefix=/usr\"]\ninstall = [\"install\", \"DESTDIR={dest}\"]",
        files: &[
            (
                "configure",
                "#!/bin/sh\ncase $1 in --prefix=*) p=${1#--prefix=};; esac\nsed \"s,@p@,$p,\" Makefile.in > Makefile\n",
            ),
            (
                "Makefile.in",
                "all: toy\ntoy: toy.c\n\tcc -o toy toy.c\ninstall:\n\tinstall -D toy $(DESTDIR)@p@/bin/toy\n",
            ),
            (
                "toy.c",
                "#include <stdio.h>\nint main(void) { puts(\"toy\"); return 0; }\n",
            ),
        ],
        takes: &["cc", "make", "strip"],
        gives: ("usr/bin/toy", "toy"),
    },
    Style {
        name: "make",
        piece: "[piece.build]\ninstall = [\"install\", \"DESTDIR={dest}\", \"WORD=a $(false) `false` word\"]",
        files: &[(
            "Makefile",
            "all:\n\techo '#!/bin/sh' > toy\n\techo 'echo toy' >> toy\ninstall:\n\tinstall -D toy $(DESTDIR)/usr/bin/toy\n",
        )],
        takes: &["make"],
        gives: ("usr/bin/toy", "toy"),
    },
    Style {
        name: "go",
        piece: "[piece.build]\nprogram = \"usr/bin/toy\"",
        files: &[
            ("go.mod", "module example.org/toy\n\ngo 1.19\n"),
            (
                "main.go",
                "package main\n\nfunc main() { println(\"toy\") }\n",
            ),
        ],
        takes: &["go"],
        gives: ("usr/bin/toy", "toy"),
    },
    Style {
        name: "cargo",
        piece: "[piece.build]\nprogram = \"usr/bin/toy\"",
        files: &[
            (
                "Cargo.toml",
                "[package]\nname = \"toy\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
            ),
            (
                "Cargo.lock",
                "version = 3\n\n[[package]]\nname = \"toy\"\nversion = \"1.0.0\"\n",
            ),
            ("src/main.rs", "fn main() { println!(\"toy\") }\n"),
        ],
        // Nobody may use one in the home of root.
        takes: &["/usr/bin/cargo", "cc"],
        gives: ("usr/bin/toy", "toy"),
    },
    Style {
        name: "luarocks",
        piece: "[piece.build]\nmake = [\"toy-1.0-1.rockspec\"]",
        files: &[
            (
                "toy-1.0-1.rockspec",
                "package = \"toy\"\nversion = \"1.0-1\"\nsource = { url = \"git://example.org/toy\" }\n\
                 build = { type = \"builtin\", modules = { toy = \"toy.lua\" } }\n",
            ),
            ("toy.lua", "return \"toy\"\n"),
        ],
        takes: &["luarocks"],
        gives: ("usr/share/lua/5.4/toy.lua", "return \"toy\"\n"),
    },
];

fn packed(desk: &Desk, style: &Style) {
    let place = tempfile::tempdir().expect("a folder");
    for (path, text) in style.files {
        let file = place.path().join("toy-1.0").join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, text).expect("a file");
    }
    let line = "chmod +x toy-1.0/configure 2>/dev/null; exec tar -czf \"$1\" toy-1.0";
    let done = Command::new("bash")
        .args(["-c", line, "-"])
        .arg(desk.path("sources/toy-1.0.tar.gz"))
        .current_dir(place.path())
        .status();
    assert!(done.expect("bash runs").success());
}

fn piece(style: &Style) -> String {
    format!(
        "[[piece]]\nname = \"toy\"\nsummary = \"a toy\"\ndescription = \"It is played with.\"\nlicence = \"MIT\"\n\
         copyright = \"nobody\"\nhomepage = \"https://example.org/toy\"\nstyle = \"{}\"\n{}",
        style.name, style.piece
    )
}

#[test]
fn each_style_that_compiles() {
    let mut cases = Cases::new("styles that compile");
    for style in STYLES {
        if !are_here(style.takes) {
            continue;
        }
        let desk = Desk::new();
        packed(&desk, style);
        desk.catalogue(
            &piece(style),
            "1.0",
            &[("toy-1.0.tar.gz", ", root = \"toy-1.0\"")],
        );
        desk.fetch();
        for format in ["txz", "deb"] {
            let out = desk.path("out");
            let output = desk.build("toy", format, &out);
            let what = format!("{} ({format})", style.name);
            cases.holds(&what, output.status.success(), || said(&output));
            let made = names(&out).into_iter().find(|name| name.ends_with(format));
            let Some(made) = made else { continue };
            if style.name == "autotools" && format == "deb" {
                let told = Command::new("dpkg-deb")
                    .arg("-f")
                    .arg(out.join(&made))
                    .arg("Depends")
                    .output()
                    .expect("dpkg-deb runs");
                let needs = String::from_utf8_lossy(&told.stdout).contains("libc6");
                cases.holds("it needs the C library", needs, || said(&told));
            }
            let (path, words) = style.gives;
            let unpack = match format {
                "txz" => "tar -xJf \"$1\"",
                _ => "dpkg-deb -x \"$1\" .",
            };
            let place = tempfile::tempdir().expect("a folder");
            let line =
                format!("{unpack} && if [ -x {path} ]; then {path} 2>&1; else cat {path}; fi");
            let output = Command::new("bash")
                .args(["-c", &line, "-"])
                .arg(out.join(&made))
                .current_dir(place.path())
                .output()
                .expect("bash runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let holds = text.trim() == words.trim();
            cases.holds(&format!("{what}: it does its work"), holds, || {
                said(&output)
            });
            fs::remove_file(out.join(&made)).expect("it goes");
        }
    }
    cases.finish();
}

/// The build is told with its last lines, and nothing of it stays: neither a package nor its folder.
#[test]
fn a_build_that_fails_says_why() {
    if !are_here(&["make"]) {
        return;
    }
    let mut cases = Cases::new("a build that fails");
    let style = Style {
        name: "make",
        piece: "[piece.build]\ninstall = [\"install\"]",
        files: &[(
            "Makefile",
            "all:\n\t@echo who: $$(id -u), home: $$HOME, secret: [$$SECRET]\n\t@echo no toys today >&2; exit 3\n",
        )],
        takes: &[],
        gives: ("", ""),
    };
    let desk = Desk::new();
    packed(&desk, &style);
    desk.catalogue(
        &piece(&style).replace("name = \"toy\"", "name = \"sad-toy\""),
        "1.0",
        &[("toy-1.0.tar.gz", ", root = \"toy-1.0\"")],
    );
    desk.fetch();
    let output = desk.build("sad-toy", "txz", &desk.path("out"));
    let words = said(&output);
    cases.holds(
        "its last lines are shown",
        words.contains("no toys today"),
        || words.clone(),
    );
    cases.same("nothing is left", names(&desk.path("out")), Vec::new());
    let kept = std::env::temp_dir().join("jitsi-install-build-sad-toy");
    cases.holds("nor its folder", !Path::new(&kept).exists(), String::new);
    if nix::unistd::geteuid().is_root() {
        let number = words.split("who: ").nth(1).unwrap_or_default();
        let number = number.split(',').next().unwrap_or_default();
        let is_free = number
            .parse()
            .is_ok_and(|number| (61_184..65_520).contains(&number));
        cases.holds(
            "root has it built under a number that nobody has",
            is_free,
            || words.clone(),
        );
    }
    cases.holds(
        "with nothing of the caller's",
        words.contains("secret: []"),
        || words.clone(),
    );
    cases.finish();
}
