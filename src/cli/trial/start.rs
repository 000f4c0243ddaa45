//! The programs of a trial.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::report::{FAILED, Failure};
use super::super::scene::Scene;
use super::stage::{Ports, Stage};
use crate::host::process::{self, Order, Running};
use crate::host::stand;
use crate::site::WebServer;

/// Starts Prosody and the web server, and waits until both listen.
pub(super) fn start(
    scene: &Scene,
    stage: &Stage,
    ports: &Ports,
    prosody: &Path,
    server: &Path,
) -> Result<Vec<Running>, Failure> {
    let base = &stage.base;
    let logs = PathBuf::from(base.join("log").as_str());
    stand::make_dirs(&logs).map_err(|error| Failure::io(&logs, &error))?;
    let lua = format!("{}/?.lua;;", scene.platform.prosody.lua_path);
    let orders = vec![
        (
            ports.bosh,
            Order {
                name: "prosody",
                program: prosody,
                args: vec![
                    "-F".to_owned(),
                    "--config".to_owned(),
                    scene
                        .platform
                        .prosody
                        .config
                        .join("prosody.cfg.lua")
                        .to_string(),
                ],
                env: vec![("LUA_PATH_5_4", lua)],
                run_as: stage.run_as,
                log: logs.join("prosody.out"),
            },
        ),
        (ports.https, web_order(scene, stage, server, &logs)?),
    ];
    stage.give_everything()?;
    let mut running: Vec<Running> = Vec::new();
    for (port, order) in orders {
        let name = order.name.to_owned();
        let mut program = process::start(order).map_err(|error| {
            Failure::new(FAILED, format!("{name} could not be started: {error}"))
        })?;
        if !program.listens(port, Duration::from_secs(20)) {
            let words = program.last_words();
            return Err(Failure::new(
                FAILED,
                format!("{name} did not come up; its last words:\n{words}"),
            )
            .hint("look closer: `jitsi-install try --no-start --keep`"));
        }
        running.push(program);
    }
    Ok(running)
}

fn web_order<'a>(
    scene: &Scene,
    stage: &Stage,
    server: &'a Path,
    logs: &Path,
) -> Result<Order<'a>, Failure> {
    let base = &stage.base;
    let order = Order {
        name: scene.site.web.server.as_str(),
        program: server,
        args: Vec::new(),
        env: Vec::new(),
        run_as: stage.run_as,
        log: logs.join("web.out"),
    };
    match scene.site.web.server {
        WebServer::Nginx => {
            let types = ["/etc/nginx/mime.types", "/etc/nginx/conf/mime.types"]
                .into_iter()
                .find(|path| stand::is_file(Path::new(path)));
            let include = types
                .map(|path| format!("  include {path};\n"))
                .unwrap_or_default();
            let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .iter()
                .map(|kind| format!("  {kind}_temp_path {base}/run/{kind};\n"))
                .collect();
            let site = scene
                .platform
                .nginx
                .site_dir
                .join(&format!("{}.conf", scene.site.domain));
            let text = format!(
                "daemon off;\npid {base}/run/nginx.pid;\nerror_log {base}/log/nginx.err;\nworker_processes 1;\n\
                 events {{ worker_connections 256; }}\nhttp {{\n{include}{temp}  include {site};\n}}\n"
            );
            let run = PathBuf::from(base.join("run").as_str());
            stand::make_dirs(&run).map_err(|error| Failure::io(&run, &error))?;
            let conf = run.join("nginx.conf");
            stand::write(&conf, text.as_bytes()).map_err(|error| Failure::io(&conf, &error))?;
            let args = [
                "-p",
                &base.join("run").to_string(),
                "-e",
                &base.join("log/nginx.err").to_string(),
                "-c",
                &conf.to_string_lossy(),
            ]
            .map(str::to_owned)
            .to_vec();
            Ok(Order { args, ..order })
        }
        WebServer::Caddy => {
            let file = scene.platform.caddy.site_dir.join("Caddyfile");
            let args = ["run", "--config", file.as_str(), "--adapter", "caddyfile"]
                .map(str::to_owned)
                .to_vec();
            let home = scene.platform.caddy_state.to_string();
            let env = vec![
                ("HOME", home.clone()),
                ("XDG_DATA_HOME", home.clone()),
                ("XDG_CONFIG_HOME", home),
            ];
            Ok(Order { args, env, ..order })
        }
    }
}
