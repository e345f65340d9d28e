"""E-mail, DingTalk, WeCom, Feishu, Slack and a hundred others, through the library apprise."""

from __future__ import annotations

from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.monitoring.sinks._contract import NotDelivered, Sink, secret_of
from burnish.monitoring.sinks._message import body_of, title_of
from burnish.store.records import Alert


class Apprise(Sink):
    """Where to is told by URLs in apprise's form, such as `dingtalk://token` or `mailto://user:password@host`."""

    urls_env: str = "BURNISH_ALERT_URLS"
    """The environment variable that holds the URLs, with spaces between them: they hold passwords."""

    tag: str = ""
    """Put before every title, such as the name of the installation."""

    def send(self, alert: Alert) -> None:
        apprise = need("apprise", "alerts")
        urls = secret_of(self.urls_env, "one URL or more as apprise writes them, such as dingtalk://token").split()
        sender = apprise.Apprise()
        for number, url in enumerate(urls, start=1):
            if not sender.add(url):
                raise UserError(
                    f"the environment variable {self.urls_env}: URL {number} of {len(urls)} has no form that apprise "
                    "knows, such as dingtalk://token; see its list of services."
                )
        title = f"{self.tag} {title_of(alert)}".strip()
        kind = "success" if alert.state == "resolved" else "failure" if alert.severity == "critical" else "warning"
        if not sender.notify(body=body_of(alert), title=title, notify_type=kind):
            raise NotDelivered(
                f"the alert {alert.id} was not delivered: apprise could not reach all {len(urls)} of its URLs."
            )
