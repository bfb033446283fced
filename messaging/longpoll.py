"""Long polls that hold no thread and no database connection while they wait."""

from django.http import HttpResponseBase

HEADER = "X-Poll-Again"


def poll_again(response: HttpResponseBase, topic: str, wait_s: float) -> HttpResponseBase:
    """Mark an answer that found nothing: `LongPoll` asks the view again when the bell of `topic` rings.

    The view is asked anew, as if the client had sent the request again, until it finds something or
    `wait_s` is over. Under WSGI, which cannot wait without a thread, the client gets the empty answer.
    """
    response.headers[HEADER] = f"{topic};{wait_s:g}"
    return response
