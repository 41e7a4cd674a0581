"""A network between a client and a server that a test can break."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

from harness.cluster import Database


class Network:
    """Carries bytes between `dsn` and the server of a database, until it is broken."""

    def __init__(self, db: Database, user: str = "app") -> None:
        self._server = ("127.0.0.1", int(db.server.settings["port"]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.dsn = f"postgresql://{user}@127.0.0.1:{self._port}/{db.name}"
        self._peers: dict[socket.socket, socket.socket] = {}
        self._carries = threading.Event()
        self._carries.set()
        self._is_cut = False
        self._ended = False
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def swallow(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._carries.clear()

    def cut(self) -> None:
        """Every connection ends, and no new one is had."""
        self._is_cut = True

    def mend(self) -> None:
        self._is_cut = False
        self._carries.set()

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended = True
        self._carries.set()
        self._thread.join()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._ended:
                self._carries.wait()
                if self._is_cut:
                    self._drop(selector, *self._peers)
                for key, _ in selector.select(0.02):
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    elif key.fileobj in self._peers and self._carries.is_set():
                        self._pass_on(selector, key.fileobj)  # type: ignore[arg-type]
            self._drop(selector, *self._peers)
            self._listener.close()

    def _accept(self, selector: selectors.BaseSelector) -> None:
        client, _ = self._listener.accept()
        if self._is_cut:
            client.close()
            return
        server = socket.create_connection(self._server)
        self._peers |= {client: server, server: client}
        for end in (client, server):
            selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, selector: selectors.BaseSelector, end: socket.socket) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = end.recv(65536)
            self._peers[end].sendall(data)
        if not data:
            self._drop(selector, end)

    def _drop(self, selector: selectors.BaseSelector, *ends: socket.socket) -> None:
        for end in ends:
            peer = self._peers.pop(end, None)
            for one in (end, peer) if peer is not None else ():
                self._peers.pop(one, None)
                selector.unregister(one)
                one.close()
