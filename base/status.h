/* SPDX-License-Identifier: Apache-2.0 */
/* Result codes, and the three tools for three kinds of failure:
 * a bug stops (REQUIRE), the world answers with a status (TRY), an expected no is a bool. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

/* One code per reaction of a caller, not one per cause; causes are in base/reason.h. */
#define STATUS_MAP(X)                                                                              \
    X(OK, "success")                                                                               \
    X(NOMEM, "out of memory")                                                                      \
    X(RANGE, "value outside its allowed range")                                                    \
    X(FORMAT, "malformed bytes")                                                                   \
    X(AUTH, "authentication failed")                                                               \
    X(STATE, "message not allowed in this phase")                                                  \
    X(QUORUM, "too few clients left")                                                              \
    X(BUDGET, "privacy budget would be exceeded")                                                  \
    X(IO, "file or socket failed")

enum status {
#define STATUS_ENUM(name, text) STATUS_##name,
    STATUS_MAP(STATUS_ENUM)
#undef STATUS_ENUM
        STATUS_COUNT
};

/* Return the text of a code, static storage; never NULL. */
const char *status_text(enum status status);

/* Print where and what, then abort: only for bugs of our own. */
_Noreturn void status_bug(const char *file, int line, const char *what);

#define MUST_USE __attribute__((warn_unused_result))

/* A local that owns something: AUTO(x_free) struct x x = {0}; */
#define AUTO(free_function) __attribute__((cleanup(free_function)))

/* Return early when the call did not succeed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_status_ = (call);                                                          \
        if (try_status_ != STATUS_OK) return try_status_;                                          \
    } while (0)

/* Stop on a bug, in release builds too. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) status_bug(__FILE__, __LINE__, #condition);                              \
    } while (0)

#endif
