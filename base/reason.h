/* SPDX-License-Identifier: Apache-2.0 */
/* Why something was refused: a stable name, a sentence that says what, a sentence that says what to
 * do. Numbers travel in ABORT messages and are never reused. */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/status.h"

// clang-format off
#define REASON_MAP(X) \
    X(NONE, 0, STATUS_OK, "OK", "nothing was refused", "nothing to do") \
    X(MEMORY, 1, STATUS_NOMEM, "E-MEMORY", "memory ran out", "free memory or use a smaller model, then start again") \
    X(FORMAT, 2, STATUS_FORMAT, "E-MSG-FORMAT", "a message is malformed", "check that both sides run the same version; if they do, report this") \
    X(PHASE, 3, STATUS_STATE, "E-MSG-PHASE", "a message came that this phase does not allow", "nothing; it was ignored. If it repeats, ask the sender's operator") \
    X(SIGNATURE, 4, STATUS_AUTH, "E-MSG-SIGNATURE", "a message does not carry its sender's signature", "do not continue before the coordinator explains who sent it") \
    X(MEMBER, 5, STATUS_AUTH, "E-MEMBER-UNKNOWN", "a key or site is not in the pinned manifest", "enrol the site with the coordinator and distribute the new signed manifest") \
    X(MANIFEST, 6, STATUS_AUTH, "E-MANIFEST", "the plan names another manifest than the pinned one", "compare the manifest's fingerprint with the coordinator by phone") \
    X(MANIFEST_QUORUM, 7, STATUS_AUTH, "E-MANIFEST-QUORUM", "the manifest lacks the signatures of enough governance keys", "have the missing governance key holders sign it") \
    X(STUDY, 8, STATUS_AUTH, "E-STUDY-HASH", "the plan was made from another study file than the site's", "compare the study file's hash with the coordinator; all parties need the same bytes") \
    X(REPLAY, 9, STATUS_STATE, "E-PLAN-REPLAY", "the session or round number was seen before", "nothing; a repeated plan is never answered. If it goes on, ask the coordinator to start a new round") \
    X(FORK, 10, STATUS_AUTH, "E-PLAN-FORK", "the plan continues another history than the site remembers", "do not continue; the coordinator may have told sites different results: compare the transcripts that veilsum-client ledger prints") \
    X(MODEL, 11, STATUS_AUTH, "E-PLAN-MODEL", "the model that was sent does not have the hash in the signed plan", "ask the coordinator to restart the round; if it repeats, the coordinator shows sites different models") \
    X(RING, 12, STATUS_RANGE, "E-PLAN-RING", "the ring is too narrow: the sum could wrap", "raise secagg.bits in the study file; veilsum-aggregator check says what else helps") \
    X(THRESHOLD, 13, STATUS_QUORUM, "E-PLAN-THRESHOLD", "a threshold is unsound or below the site's floor", "use t and T above (n + c) / 2 and at least the site's policy") \
    X(CONTRIBUTORS, 14, STATUS_QUORUM, "E-PLAN-CONTRIBUTORS", "a segment has too few members for its minimum", "wait for more sites or lower min_contributors within each site's policy") \
    X(NOISE, 15, STATUS_BUDGET, "E-PLAN-NOISE", "the noise is less than the study promises", "the coordinator must plan with the study's epsilon; compare study files") \
    X(BUDGET, 16, STATUS_BUDGET, "E-POLICY-EPSILON", "this release would bring the site above a limit of its epsilon", "nothing was trained or sent; raise the limit that the line above names in the site policy only after your data-protection officer agrees") \
    X(POLICY, 17, STATUS_RANGE, "E-POLICY-FLOOR", "the study asks for less protection than the site's policy", "change the study, or the site policy if its owner agrees; the log names the line") \
    X(COHORT, 18, STATUS_STATE, "E-PLAN-COHORT", "this site is not in the plan's cohort", "nothing; the site waits for the next round") \
    X(ROSTER, 19, STATUS_AUTH, "E-ROSTER", "the roster is wrong: own entry missing or changed, a key twice, or a low-order key", "do not continue; the coordinator or someone between tampered with keys") \
    X(QUORUM, 20, STATUS_QUORUM, "E-QUORUM", "too few sites are left in this round", "wait for sites to return; the coordinator starts a new round by itself") \
    X(SHARE, 21, STATUS_AUTH, "E-SHARE", "a share does not match its commitment", "nothing; who is accused by more sites than can be corrupt is not asked again") \
    X(SURVIVORS, 22, STATUS_AUTH, "E-SURVIVORS", "the survivor set is not what the rules say", "do not continue; the coordinator tried to open something it may not") \
    X(EQUIVOCATION, 23, STATUS_AUTH, "E-EQUIVOCATION", "the coordinator signed two different statements for one session", "do not continue; tell the officers who signed the manifest") \
    X(CONFIRMATIONS, 24, STATUS_AUTH, "E-CONFIRMATIONS", "fewer than T sites confirmed one survivor set", "nothing was opened; the coordinator starts a new round") \
    X(DEADLINE, 25, STATUS_STATE, "E-DEADLINE", "the other side did not answer before the deadline", "check the network and the coordinator's status; the site waits for the next round") \
    X(CHECKSUM, 26, STATUS_FORMAT, "E-CHECKSUM", "the opened sum contradicts its checksum", "the sum was thrown away; if it repeats, report this with both logs") \
    X(RESULT, 27, STATUS_AUTH, "E-RESULT", "the result does not belong to the transcript that this site saw", "do not continue; compare the transcripts that veilsum-client ledger prints") \
    X(JOURNAL, 28, STATUS_IO, "E-JOURNAL", "the journal could not be written, so nothing was sent", "check disk space and permissions of the state directory, then restart") \
    X(TRAINER, 29, STATUS_IO, "E-TRAINER", "local training failed", "see the line above it in the log; check the data file with the study's model") \
    X(WRONG_SESSION, 30, STATUS_STATE, "E-MSG-SESSION", "a message belongs to another session", "nothing; it was ignored") \
    X(CIPHER, 31, STATUS_RANGE, "E-PLAN-CIPHER", "the plan names a pad cipher that this program does not have", "use chacha20 in the study file") \
    X(STUDY_FILE, 33, STATUS_RANGE, "E-STUDY", "the study file cannot be read, is unsafe or contradicts itself", "mend the line that is named; veilsum-aggregator check shows what follows from a study") \
    X(DATA, 34, STATUS_FORMAT, "E-DATA", "the data file cannot be read or does not fit the study's model", "check the path, the format and the image size that the study names") \
    X(LEDGER, 35, STATUS_STATE, "E-LEDGER", "the journal or the ledger is missing, cut short or belongs to another manifest, so what was spent is not known", "restore journal.db and ledger.db from one backup; pin again only if no release was ever made, for that begins at zero") \
    X(SEGMENTS, 32, STATUS_RANGE, "E-PLAN-SEGMENTS", "the segments are not those of the study and its keep set", "compare study files; if they agree, the coordinator is wrong or lies") \
    X(POSITIONS, 36, STATUS_AUTH, "E-POSITIONS", "a site's position in the graph is not the one it committed to, or too many are missing", "nothing was sent; the coordinator starts a new round without the silent sites") \
    X(GRAPH, 37, STATUS_RANGE, "E-PLAN-GRAPH", "the sharing graph is too thin for the sites that may conspire or drop out", "raise sites.threshold or use fewer sites; veilsum-aggregator check shows the smallest sound degree") \
    X(ISOLATED, 38, STATUS_BUDGET, "E-ISOLATED", "the survivor sets so far would single out this site's input", "nothing was released; without noise a study must keep the same sites in each round") \
    X(BACKBONE, 46, STATUS_RANGE, "E-BACKBONE", "the frozen weights of the study's model are missing or not those that the study names", "get the file with the hash that the study names as model.backbone and give it as --backbone; veilsum-lab weights prints a file's hash") \
    X(ABANDONED, 47, STATUS_STATE, "E-ABANDONED", "this round was left before its end: the program was started again, or another round began", "nothing; the site waits for the next round") \
    X(NET_REFUSED, 40, STATUS_IO, "E-NET-REFUSED", "nobody listens at the coordinator's address", "ask the coordinator whether veilsum-aggregator runs, and your IT about the firewall") \
    X(NET_NOTZMQ, 41, STATUS_IO, "E-NET-NOTZMQ", "something answered that is not a veilsum coordinator", "check the address and port; a web proxy may be in the way") \
    X(KEY_SERVER, 42, STATUS_AUTH, "E-KEY-SERVER", "the coordinator's transport key is not the one in the manifest", "do not continue; compare fingerprints by phone") \
    X(KEY_PENDING, 43, STATUS_AUTH, "E-KEY-PENDING", "the coordinator does not know this site's transport key", "ask the coordinator to enrol this site; it retries by itself") \
    X(KEY_FILE, 44, STATUS_AUTH, "E-KEY-FILE", "a key file is missing, malformed or readable by others", "create it with the keygen command, or chmod 600 it") \
    X(NET_PROXY, 45, STATUS_IO, "E-NET-PROXY", "the proxy does not answer or refuses the connection", "check the proxy's address and credentials, and ask your IT to allow the coordinator's host and port")
// clang-format on

enum reason {
#define REASON_ENUM(name, number, status, id, what, fix) REASON_##name = number,
    REASON_MAP(REASON_ENUM)
#undef REASON_ENUM
};

/* Static texts; an unknown number gives "E-UNKNOWN" and sentences that say so. */
const char *reason_id(enum reason reason);
const char *reason_what(enum reason reason);
const char *reason_fix(enum reason reason);
/* The reaction that the reason asks for; STATUS_FORMAT when unknown. */
enum status reason_status(enum reason reason);

#endif
