"""What somebody may give in place of a name: paths, encodings, and characters that look like others."""

PATHS = (
    "", ".", "..", "...", "../", "..\\", "....//", "../../etc/passwd",
    *("../" * n + "x" for n in range(1, 13)), "%2e%2e%2f", "%252e%252e%252f", "..%c0%af",
    "..%ef%bc%8f", "..／etc", "／etc", "/etc/passwd", "//x", "///", "C:\\", "C:/x", "\\\\host\\share",
    "file:///etc/passwd", "file:x", "~", "~root", "~/x", "a\0b", "\0", "a\nb", "a\r\nb", "a\t",
    "a ", " a", ".hidden", "-rf", "_x", "CON:1", "NUL", "a/b", "a\\b", "/", "\\", "a" * 65,
    "a" * 255, "a" * 4096, "😀", "退款", "\u202eabc", "abc\u202e", "a\u200bb", "a\ufeff", "caf\u00e9",
    "cafe\u0301", "Intent", "INTENT", "ｉｎｔｅｎｔ", "іntent", "intent?a=../..", "intent#/../..",
    "intent;ls", "intent|ls", "$(ls)", "`ls`", "intent'--", 'intent"', "intent:", "intent:0",
    "intent:00", "intent:-1", "intent:1.0", "intent:1e3", "intent:٣", "intent:７", "intent:²",
    "intent:9999999999", "intent:1:2", "intent:1@production", "intent@", "intent@@production",
    "intent@production:1", "intent@Production", "intent@production ", "intent@production\n",
    "@production", ":1", "intent\n", "\nintent", "intent: 1", "intent :1", "/proc/self/environ",
    "__proto__", "{{7*7}}", "<script>", "a\ud800",
)  # fmt: skip
