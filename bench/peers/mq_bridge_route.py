"""mq-bridge, the body as it is: HTTP in, Kafka out, the response when Kafka has it.

All of it runs in mq-bridge's Rust core; Python only waits. `mq_bridge_route.py PORT KAFKA TOPIC PATH`.
"""

import sys

from mq_bridge import Route

PORT, KAFKA, TOPIC, PATH = sys.argv[1:]
MOST_REQUESTS = 2048

Route.from_config(
    {
        "input": {
            "http": {
                "url": f"127.0.0.1:{PORT}",
                "path": PATH,
                "method": "POST",
                "concurrency_limit": MOST_REQUESTS,
                "internal_buffer_size": MOST_REQUESTS,
            }
        },
        "output": {
            "kafka": {
                "url": KAFKA,
                "topic": TOPIC,
                "create_topic": False,
                "producer_options": [["acks", "all"], ["enable.idempotence", "true"], ["linger.ms", "0"]],
            }
        },
    }
).run()
