//! Where requests come in: sockets handed over by systemd, a Unix socket or a port of our own.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream as StdTcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixSocket, UnixStream};

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 4096;

/// A listening socket.
pub(super) struct Door {
    socket: Socket,
    is_handed: bool,
    _place: Option<Place>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// A connection.
pub(super) enum Visit {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

/// The path of a Unix socket that this process made; gone with it.
struct Place {
    path: PathBuf,
    inode: u64,
    _lock: std::fs::File,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Somebody else's by now? Then it stays.
        if std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Sockets that systemd handed over, by name (`FileDescriptorName=`).
pub(super) struct Handed {
    sockets: ListenFd,
    names: Vec<String>,
}

impl Handed {
    /// To be called before any thread is started: it empties the environment.
    pub(super) fn take() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self {
            sockets: ListenFd::from_env(),
            names: names.split(':').map(str::to_owned).collect(),
        }
    }

    /// The socket of a name. One without a name is the pages' own.
    fn find(&mut self, name: &str) -> io::Result<Option<Socket>> {
        let mut at = self.names.iter().position(|known| known == name);
        if at.is_none() && name == "web" && self.sockets.len() == 1 {
            let is_ours = !self.names.iter().any(|known| known == "internal");
            at = is_ours.then_some(0);
        }
        let Some(at) = at.filter(|at| *at < self.sockets.len()) else {
            return Ok(None);
        };
        if let Ok(Some(socket)) = self.sockets.take_unix_listener(at) {
            socket.set_nonblocking(true)?;
            return Ok(Some(Socket::Unix(UnixListener::from_std(socket)?)));
        }
        let Some(socket) = self.sockets.take_tcp_listener(at)? else {
            return Ok(None);
        };
        socket.set_nonblocking(true)?;
        Ok(Some(Socket::Tcp(TcpListener::from_std(socket)?)))
    }
}

impl Door {
    /// The socket of a name that was handed over, else one of our own at `address`:
    /// `unix:/path` or an address with a port.
    pub(super) fn open(handed: &mut Handed, name: &str, address: &str) -> io::Result<Self> {
        if let Some(socket) = handed.find(name)? {
            return Ok(Self {
                socket,
                is_handed: true,
                _place: None,
            });
        }
        if let Some(path) = address.strip_prefix("unix:") {
            return bind_unix(Path::new(path));
        }
        let address: SocketAddr = address.parse().map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "this is no address with a port",
            )
        })?;
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self {
            socket: Socket::Tcp(socket.listen(BACKLOG)?),
            is_handed: false,
            _place: None,
        })
    }

    /// Will somebody else go on listening when this process has gone?
    pub(super) fn outlives_us(&self) -> bool {
        self.is_handed
    }

    pub(super) async fn accept(&self) -> io::Result<Visit> {
        match &self.socket {
            Socket::Tcp(socket) => {
                let (stream, from) = socket.accept().await?;
                Visit::tcp(stream, from)
            }
            Socket::Unix(socket) => Ok(Visit::Unix(socket.accept().await?.0)),
        }
    }
}

impl Door {
    /// Lets nobody else in; who is in the kernel's queue stays there. Only a Unix socket can: whoever
    /// connects by TCP between the last [`Door::waiting`] and the end of this door is turned away.
    pub(super) fn shut(&self) {
        if let Socket::Unix(socket) = &self.socket {
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Read);
        }
    }

    /// The next in the kernel's queue, asked of the kernel itself: that a socket is ready is heard a
    /// moment later.
    pub(super) fn waiting(&self) -> io::Result<Visit> {
        use rustix::net::{SocketFlags, accept_with};
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        match &self.socket {
            Socket::Tcp(socket) => {
                let stream = StdTcpStream::from(accept_with(socket, flags)?);
                let from = stream.peer_addr()?;
                Visit::tcp(TcpStream::from_std(stream)?, from)
            }
            Socket::Unix(socket) => {
                let stream = StdUnixStream::from(accept_with(socket, flags)?);
                Ok(Visit::Unix(UnixStream::from_std(stream)?))
            }
        }
    }
}

impl Visit {
    fn tcp(stream: TcpStream, from: SocketAddr) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream, from.ip().to_canonical()))
    }
}

impl std::fmt::Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.socket {
            Socket::Tcp(socket) => match socket.local_addr() {
                Ok(address) => write!(f, "{address}"),
                Err(_) => f.write_str("a port"),
            },
            Socket::Unix(socket) => {
                let address = socket.local_addr().ok();
                match address.as_ref().and_then(|address| address.as_pathname()) {
                    Some(path) => write!(f, "unix:{}", path.display()),
                    None => f.write_str("a Unix socket"),
                }
            }
        }
    }
}

/// A Unix socket, for its owner and group. The group is that of the folder, when that is set-gid.
fn bind_unix(path: &Path) -> io::Result<Door> {
    // The lock is the kernel's: it goes with its process, however that ends.
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)?;
    if lock.try_lock().is_err() {
        return Err(taken());
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is no socket stands there",
            ));
        }
        Ok(_) => match StdUnixStream::connect(path) {
            Ok(_) => return Err(taken()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
            }
            Err(error) => return Err(error),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    let place = Place {
        path: path.to_owned(),
        inode: std::fs::symlink_metadata(path)?.ino(),
        _lock: lock,
    };
    Ok(Door {
        socket: Socket::Unix(socket.listen(BACKLOG)?),
        is_handed: false,
        _place: Some(place),
    })
}

fn taken() -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, "somebody else answers there")
}
