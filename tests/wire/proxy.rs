//! Stands between the service and its PostgreSQL, so that a test can take the database away.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Bytes go both ways.
    Open,
    /// Connections are closed, the standing ones and each new one.
    Cut,
    /// Connections stand, and nothing goes through.
    Silent,
}

#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    target: url::Url,
    line: watch::Sender<Line>,
}

impl Proxy {
    /// A line to the database at `url`, open.
    pub(crate) async fn to(url: &str) -> Self {
        let target = url::Url::parse(url).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), target, line: watch::Sender::new(Line::Open) };
        let server = format!("{}:{}", proxy.target.host_str().unwrap(), proxy.target.port().unwrap_or(5432));
        let line = proxy.line.subscribe();
        tokio::spawn(async move {
            // Ends with the test's runtime.
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, server.clone(), line.clone()));
            }
        });
        proxy
    }

    /// The address of the database over this line.
    pub(crate) fn url(&self) -> String {
        let mut url = self.target.clone();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    pub(crate) fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    pub(crate) fn silence(&self) {
        self.line.send_replace(Line::Silent);
    }

    /// Lets new connections through; those that stood before are gone.
    pub(crate) fn mend(&self) {
        self.line.send_replace(Line::Open);
    }
}

async fn carry(mut stream: TcpStream, server: String, mut line: watch::Receiver<Line>) {
    let now = *line.borrow_and_update();
    if now == Line::Open {
        let Ok(mut there) = TcpStream::connect(server).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut stream, &mut there) => return,
            _ = line.wait_for(|line| *line != Line::Open) => {}
        }
        // The server is let go; whether the service notices depends on the line.
        drop(there);
    }
    // As long as it is silent the connection stands.
    let _ = line.wait_for(|line| *line != Line::Silent).await;
}
