/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lab/posted.h"

#include "base/command.h"
#include "protocol/link.h"

#define HOUR_MS 3600000u

struct posted posted;

static bool losing(void)
{
    return posted.lose_after > 0 && posted.messages > posted.lose_after;
}

enum status __real_link_send(struct link *link, size_t peer, struct blob *head, struct blob *tail);
enum status __wrap_link_send(struct link *link, size_t peer, struct blob *head, struct blob *tail);
enum status __wrap_link_send(struct link *link, size_t peer, struct blob *head, struct blob *tail)
{
    posted.messages++;
    posted.bytes += blob_view(head).n;
    return losing() ? STATUS_OK : __real_link_send(link, peer, head, tail);
}

enum status __real_link_connect(struct link **out, const char *endpoint,
                                const uint8_t secret[static LINK_KEY_BYTES],
                                const uint8_t server[static LINK_KEY_BYTES],
                                const struct link_settings *settings);
enum status __wrap_link_connect(struct link **out, const char *endpoint,
                                const uint8_t secret[static LINK_KEY_BYTES],
                                const uint8_t server[static LINK_KEY_BYTES],
                                const struct link_settings *settings);
enum status __wrap_link_connect(struct link **out, const char *endpoint,
                                const uint8_t secret[static LINK_KEY_BYTES],
                                const uint8_t server[static LINK_KEY_BYTES],
                                const struct link_settings *settings)
{
    posted.connections++;
    return __real_link_connect(out, endpoint, secret, server, settings);
}

void __real_link_poll(struct link *link, int timeout_ms, struct link_event *event);
void __wrap_link_poll(struct link *link, int timeout_ms, struct link_event *event);
void __wrap_link_poll(struct link *link, int timeout_ms, struct link_event *event)
{
    __real_link_poll(link, timeout_ms, event);
    posted.ended += event->kind == LINK_DOWN;
}

void __real_link_free(struct link **link);
void __wrap_link_free(struct link **link);
void __wrap_link_free(struct link **link)
{
    posted.unfinished += *link != NULL && !link_idle(*link, 0);
    __real_link_free(link);
}

uint64_t __real_command_now_ms(void);
uint64_t __wrap_command_now_ms(void);
uint64_t __wrap_command_now_ms(void)
{
    static uint64_t flown;
    if (losing()) flown += HOUR_MS;
    return __real_command_now_ms() + flown;
}
