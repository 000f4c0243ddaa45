//! An HTTP server in Prosody's place that answers with the request as it arrived.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Serves at the port until the test process ends; each request on a thread of its own.
pub(crate) fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            // who hangs up early, as a waiting `try` does, gets no answer
            std::thread::spawn(move || answer(&socket));
        }
    });
    Ok(())
}

fn answer(socket: &TcpStream) -> io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut from = BufReader::new(socket);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push_str(line.trim_end());
        head.push('\n');
    }
    from.take(length).read_to_end(&mut Vec::new())?;
    let size = head.len();
    let mut to = socket;
    write!(
        to,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\
         Connection: close\r\n\r\n{head}"
    )?;
    to.shutdown(Shutdown::Write)
}
