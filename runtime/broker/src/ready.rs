//! Whether a broker answers: a port that is open is not enough.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request for the versions of all requests, in its first version, which every broker answers: length, key 18, version 0,
/// number 1, no client's name.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// Whether a Kafka broker answers at `address`, such as `127.0.0.1:9092`.
pub fn answers(address: &str) -> bool {
    address
        .parse()
        .is_ok_and(|address: SocketAddr| asked(address).unwrap_or(false))
}

fn asked(address: SocketAddr) -> std::io::Result<bool> {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    connection.write_all(&API_VERSIONS)?;
    // Length, the request's number, and whether it was an error.
    let mut answer = [0; 10];
    connection.read_exact(&mut answer)?;
    Ok(answer[4..] == [0, 0, 0, 1, 0, 0])
}
