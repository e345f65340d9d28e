"""Forms of URLs that lead inside, or are read in different ways: none may cause a connection. PORT is the canary's."""

HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.0.0.1",
    "0177.0.0.1", "017700000001", "0x7f.1", "127.0.0.1.", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[::]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::1]", "169.254.169.254", "[fd00:ec2::254]", "[fe80::a9fe:a9fe]",
    "[fe80::1%25lo]", "[fe80::1%lo]", "168.63.129.16", "100.100.100.200", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "100.64.0.1", "198.18.0.1", "192.0.2.1", "203.0.113.1", "240.0.0.1",
    "255.255.255.255", "224.0.0.1", "[fc00::1]", "[fdff::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "localhost",
    "localhost.", "LOCALHOST", "any.localhost", "inside.example", "rebinds.example", "mixed.example",
    "127。0。0。1", "１２７.０.０.１", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "127%2e0%2e0%2e1", "user@127.0.0.1", "user:word@127.0.0.1",
    "public.example@127.0.0.1", "127.0.0.1\\@public.example", "public.example\\.127.0.0.1", "public.example#@127.0.0.1",
    "127.0.0.1\t", "127.0.\n0.1", "\x00127.0.0.1", "127.0.0.1\u200b", "127.0.0.1 ", "-x.example", "a..b", "",
    "[::1", "[]", "[127.0.0.1]", "999.1.1.1", "1.2.3.4.5", "0x", "x" * 64, ".".join(["x" * 60] * 5),
]  # fmt: skip
SCHEMES = ["file", "gopher", "ftp", "dict", "data", "unix", "ldap", "jar", "javascript", "ws", "HTTP+unix", ""]
PORTS = [22, 25, 6379, 11211, 5432, 2375, 9200, 65535]

URLS = [
    *(f"{scheme}://{host}:PORT/hook" for host in HOSTS for scheme in ("http", "https")),
    *(f"{scheme}://127.0.0.1:PORT/hook" for scheme in SCHEMES),
    *(f"http://public.example:{port}/" for port in PORTS),
    "http:/127.0.0.1:PORT/", "http:127.0.0.1:PORT", "//127.0.0.1:PORT/", "127.0.0.1:PORT", "http://:PORT/",
    "/etc/passwd",
    "http://public.example:99999/", "http://public.example:port/", "http://public.example:-1/", "data:text/plain,x",
]  # fmt: skip
