"""A server of paramiko for devices whose shell a test writes itself; the password is "admin"."""

import socket
import threading


def serve(run_shell, has_terminal=lambda user: True):
    """Prints "ready PORT" and serves for ever. `run_shell(channel, user)` is called on a thread for
    each shell; `has_terminal(user)`: whether a terminal is given."""
    import paramiko  # only here: it takes a while

    class Server(paramiko.ServerInterface):
        def check_auth_password(self, username, password):
            self.user = username
            return paramiko.AUTH_SUCCESSFUL if password == "admin" else paramiko.AUTH_FAILED

        def get_allowed_auths(self, username):
            return "password"

        def check_channel_request(self, kind, chanid):
            return paramiko.OPEN_SUCCEEDED

        def check_channel_pty_request(self, *arguments):
            return has_terminal(self.user)

        def check_channel_shell_request(self, channel):
            threading.Thread(target=run_shell, args=(channel, self.user), daemon=True).start()
            return True

    host_key = paramiko.RSAKey.generate(2048)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"ready {listener.getsockname()[1]}", flush=True)
    transports = []
    while True:
        connection, _ = listener.accept()
        transports.append(paramiko.Transport(connection))
        transports[-1].add_server_key(host_key)
        try:
            transports[-1].start_server(server=Server())
        except (paramiko.SSHException, EOFError, OSError):
            pass  # who only looked whether somebody is there, or was killed
