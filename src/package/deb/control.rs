//! A package's control file: one paragraph of fields (deb-control(5)).

use super::policy;
use crate::name::excerpt;

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    fields: Vec<(String, String)>,
}

impl Control {
    /// Reads a paragraph.
    ///
    /// # Errors
    /// Says which line is none, or which field is missing, there twice or not by Debian's policy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let is_odd = |c: char| c.is_control() && c != '\n' && c != '\t';
        if text.contains(is_odd) {
            return Err("it has a control character in it".to_owned());
        }
        for (line, number) in text.trim_end_matches('\n').split('\n').zip(1..) {
            let wrong = || format!("line {number} is no field: `{}`", excerpt(line));
            if line.starts_with([' ', '\t']) {
                let (_, value) = fields.last_mut().ok_or_else(wrong)?;
                if line.trim().is_empty() {
                    return Err(wrong());
                }
                value.push('\n');
                value.push_str(line.trim_end());
                continue;
            }
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            let is_name = |c: char| c.is_ascii_graphic();
            if name.is_empty() || name.starts_with(['#', '-']) || !name.chars().all(is_name) {
                return Err(wrong());
            }
            if fields
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                return Err(format!("`{}` is there twice", excerpt(name)));
            }
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
        let control = Self { fields };
        for name in [
            "Package",
            "Version",
            "Architecture",
            "Maintainer",
            "Description",
        ] {
            if control.field(name).is_none_or(str::is_empty) {
                return Err(format!("`{name}` is missing"));
            }
        }
        control.by_policy()?;
        Ok(control)
    }

    /// The value of a field; its further lines begin with a blank.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let is_it = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        let (_, value) = self.fields.iter().find(is_it)?;
        Some(value)
    }

    fn by_policy(&self) -> Result<(), String> {
        let value = |name| self.field(name).unwrap_or_default();
        policy::name(value("Package"))?;
        policy::version(value("Version"))?;
        policy::name(value("Architecture"))?;
        for field in policy::RELATIONS {
            for one in value(field)
                .split(',')
                .filter(|_| self.field(field).is_some())
            {
                policy::relation(one.trim()).map_err(|why| format!("{field}: {why}"))?;
            }
        }
        match self.field("Installed-Size") {
            Some(size) if size.parse::<u64>().is_err() => Err(format!(
                "its Installed-Size is no number: `{}`",
                excerpt(size)
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Control;

    const GOOD: &str = "Package: jicofo\nVersion: 1.0-1183-1\nArchitecture: all\nMaintainer: A <a@b>\n\
                        Depends: aa (>= 1:2.0~x) | bb:any,\n cc\nDescription: x\n y\n .\n z\n";

    #[test]
    fn fields_are_found() {
        let control = Control::parse(GOOD).unwrap();
        assert_eq!(control.field("version"), Some("1.0-1183-1"));
        assert_eq!(control.field("Description"), Some("x\n y\n .\n z"));
        assert_eq!(
            control.field("Depends"),
            Some("aa (>= 1:2.0~x) | bb:any,\n cc")
        );
        assert_eq!(control.fields.len(), 6);
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, why) in [
            ("Package: jicofo\n", "", "`Package` is missing"),
            (
                "Package: jicofo\n",
                " x\nPackage: jicofo\n",
                "line 1 is no field: ` x`",
            ),
            (
                "Version: ",
                "version: 1\nVersion: ",
                "`Version` is there twice",
            ),
            ("1.0-1183-1", "1.0 1183", "`1.0 1183` is no version"),
            ("jicofo", "Jicofo", "`Jicofo` is no name of a package"),
            ("jicofo", "../x", "`../x` is no name of a package"),
            (" cc\n", " cc (1)\n", "Depends: `cc (1)` is no relation"),
            (" cc\n", "", "Depends: `` is no relation"),
            (" .\n", "\n", "line 9 is no field: ``"),
            (
                "Maintainer",
                "Main\u{7}tainer",
                "it has a control character in it",
            ),
            ("Maintainer:", "Maintainer", "line 4 is no field"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            let said = Control::parse(&text).unwrap_err();
            assert!(said.starts_with(why), "{said:?} is not {why:?}");
        }
        assert!(Control::parse("").is_err());
    }
}
