/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of devices as src/lifecycle has it, with a daemon that dies at any step, a disk that refuses a change, hardware
 * that fails a command or does not let go of a device that is in use, and clients that ask again until they have what they
 * want. Two names want the same ID, of which there is one: what one releases, the other takes at once.
 *
 * What outlives the daemon are the records (rec, rec_id) and the hardware (hw, hw_id). What goes with it are the states in
 * memory, the queue of the store's writer, and what the backend's worker is at. The daemon may die between any two of the
 * atomic steps below; nothing becomes durable, and nothing is done to the hardware, in the middle of one.
 *
 * The properties are at the end; tests/check-model checks them. With -DBREAK=1 and so on, one thing is done wrong, and they
 * must not hold. */

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef CREATES
#define CREATES 2 /* of each client */
#endif
#ifndef BREAK
#define BREAK 0
#endif

#define NAMES  2
#define NO_ID  0
#define THE_ID 1

mtype:record = { NOTHING, INTENT, READY, DELETING, FAILED, LOST };
mtype:hardware = { ABSENT, MADE, ASSIGNED, BOUND };
mtype:memory = { NONE, IS_RESERVED, IS_CREATING, IS_READY, IS_DELETING, IS_FAILED, IS_LOST };

/* What an operation waits for. */
mtype:wait = { IDLE, COMMIT_INTENT, COMMIT_WITHDRAWAL, COMMIT_FAILURE, COMMIT_DELETION, COMMIT_KEPT,
               WORK_CREATE, WORK_DELETE, WORK_CHECK };

/* What the worker is at; at most one device at a time. */
mtype:work = { NO_WORK, LOOKS, MAKES, UNDOES, DESTROYS };

/* What a client was told. */
mtype:promise = { UNKNOWN, EXISTS, GONE };

mtype:record rec[NAMES] = NOTHING;
bit rec_id[NAMES];
bit latest; /* the name that was recorded last: revisions */
mtype:hardware hw[NAMES] = ABSENT;
bit hw_id[NAMES];

mtype:memory mem[NAMES] = NONE, previous[NAMES] = NONE;
bit mem_id[NAMES];
mtype:wait op[NAMES] = IDLE;
bool is_new[NAMES], has_acquired[NAMES], is_left_over[NAMES];
bool is_free = true; /* THE_ID, as the daemon counts */
bool is_up = true;

/* To the writer: a record, and whether the operation of the name waits for it. */
chan queue = [6] of { bit, mtype:record, bit, bool };

mtype:work work = NO_WORK;
bit at;
bool was_there; /* the device, when its creation began */

/* One client for each name. */
mtype:promise promised[NAMES] = GONE;
bool wants_device[NAMES], wants_deletion[NAMES], waits[NAMES];
byte n_creates[NAMES];

byte n_crashes, n_faults;

#define other(n) (1 - (n))

inline answer(n, what) {
        if
        :: waits[n] ->
                waits[n] = false;
                if
                :: what == EXISTS -> wants_device[n] = false; promised[n] = EXISTS
                :: what == GONE -> wants_deletion[n] = false; promised[n] = GONE
                :: else -> skip
                fi
        :: else -> skip
        fi
}

inline end_operation(n, what) {
        op[n] = IDLE;
        answer(n, what)
}

inline release(n) {
        if
        :: mem_id[n] == THE_ID -> is_free = true; mem_id[n] = NO_ID
        :: else -> skip
        fi
}

/* What the store says of a change that something waits for. */
inline committed(n, is_durable) {
        if
        :: op[n] == COMMIT_INTENT && is_durable -> mem[n] = IS_CREATING; op[n] = WORK_CREATE
        :: op[n] == COMMIT_INTENT && !is_durable ->
                if
                :: has_acquired[n] -> release(n)
                :: else -> skip
                fi;
                mem[n] = previous[n];
                end_operation(n, UNKNOWN)
        :: op[n] == COMMIT_WITHDRAWAL && is_durable -> release(n); mem[n] = NONE; end_operation(n, UNKNOWN)
        :: op[n] == COMMIT_WITHDRAWAL && !is_durable -> record_failure(n)
        :: op[n] == COMMIT_FAILURE ->
                if
                :: is_durable && !is_left_over[n] -> release(n)
                :: else -> skip
                fi;
                end_operation(n, UNKNOWN)
        :: op[n] == COMMIT_DELETION && is_durable ->
                op[n] = WORK_DELETE
#if BREAK == 3
                ; answer(n, GONE) /* before it is */
#endif
        :: op[n] == COMMIT_DELETION && !is_durable -> mem[n] = previous[n]; end_operation(n, UNKNOWN)
        :: op[n] == COMMIT_KEPT -> end_operation(n, UNKNOWN)
        fi
}

inline record_failure(n) {
        mem[n] = IS_FAILED;
        op[n] = COMMIT_FAILURE;
        queue ! n, FAILED, (is_left_over[n] -> mem_id[n] : NO_ID), true
}

inline creation_failed(n) {
        if
        :: is_new[n] && !is_left_over[n] -> op[n] = COMMIT_WITHDRAWAL; queue ! n, NOTHING, NO_ID, true
        :: else -> record_failure(n)
        fi
}

/* Nobody waits for the record. */
inline is_ready(n) {
        mem[n] = IS_READY;
        queue ! n, READY, mem_id[n], false;
        end_operation(n, EXISTS)
}

inline is_gone(n) {
        queue ! n, NOTHING, NO_ID, false;
        release(n);
        mem[n] = NONE;
        end_operation(n, GONE)
}

inline is_kept(n) {
        if
        :: previous[n] == IS_FAILED -> mem[n] = IS_FAILED
        :: previous[n] != IS_FAILED && hw[n] == BOUND -> mem[n] = IS_READY
        :: else -> mem[n] = IS_LOST
        fi;
        op[n] = COMMIT_KEPT;
        if
        :: mem[n] == IS_READY -> queue ! n, READY, mem_id[n], true
        :: mem[n] == IS_LOST -> queue ! n, LOST, mem_id[n], true
        :: mem[n] == IS_FAILED -> queue ! n, FAILED, mem_id[n], true
        fi
}

/* Client, and what the loop does with its request at once. */
proctype Client(bit n) {
end:    do
        :: atomic { is_up && op[n] == IDLE && !wants_deletion[n] &&
                    (wants_device[n] || promised[n] == GONE && n_creates[n] < CREATES) ->
                if
                :: !wants_device[n] -> wants_device[n] = true; n_creates[n]++
                :: else -> skip
                fi;
                promised[n] = UNKNOWN;
                waits[n] = true;
                if
                :: mem[n] == IS_READY -> answer(n, EXISTS)
                :: mem[n] != IS_READY && mem_id[n] == NO_ID && !is_free -> answer(n, UNKNOWN)
                :: else ->
                        is_new[n] = (mem[n] == NONE);
                        previous[n] = mem[n];
                        has_acquired[n] = (mem_id[n] == NO_ID);
                        mem_id[n] = THE_ID;
                        is_free = false;
                        mem[n] = IS_RESERVED;
#if BREAK == 1
                        op[n] = WORK_CREATE; /* without an intent */
#else
                        op[n] = COMMIT_INTENT;
                        queue ! n, INTENT, THE_ID, true
#endif
                fi
           }
        :: atomic { is_up && op[n] == IDLE && !wants_device[n] && (wants_deletion[n] || promised[n] == EXISTS) ->
                wants_deletion[n] = true;
                promised[n] = UNKNOWN;
                waits[n] = true;
                if
                :: mem[n] == NONE -> answer(n, GONE)
                :: else ->
                        previous[n] = mem[n];
                        mem[n] = IS_DELETING;
#if BREAK == 2
                        op[n] = WORK_DELETE; /* without an intent */
#else
                        op[n] = COMMIT_DELETION;
                        queue ! n, DELETING, mem_id[n], true
#endif
                fi
           }
        od
}

proctype Writer() {
        bit n, id;
        mtype:record state;
        bool is_awaited;

end:    do
        :: atomic { is_up && nempty(queue) ->
                queue ? n, state, id, is_awaited;
                if
                :: rec[n] = state;
                   rec_id[n] = id;
                   latest = n;
                   if
                   :: is_awaited -> committed(n, true)
                   :: else -> skip
                   fi
                :: n_faults < FAULTS ->
                   n_faults++;
                   if
                   :: is_awaited -> committed(n, false)
                   :: else -> skip
                   fi
                fi;
                n = 0; id = NO_ID; state = NOTHING; is_awaited = false
           }
        od
}

/* It may fail at the start of a command; then nothing of that was done. */
#define may_fail (n_faults < FAULTS)

proctype Worker() {
end:    do
        :: atomic { is_up && work == NO_WORK && (op[0] >= 0) ->
                if
                :: op[0] == WORK_CREATE || op[0] == WORK_DELETE || op[0] == WORK_CHECK -> at = 0; work = LOOKS
                :: op[1] == WORK_CREATE || op[1] == WORK_DELETE || op[1] == WORK_CHECK -> at = 1; work = LOOKS
                fi
           }
        :: atomic { is_up && work == LOOKS ->
                was_there = (hw[at] != ABSENT);
                if
                :: op[at] == WORK_CREATE -> work = MAKES
                :: op[at] == WORK_DELETE && !was_there -> is_gone(at); work = NO_WORK
                :: op[at] == WORK_DELETE && was_there -> work = DESTROYS
                :: op[at] == WORK_DELETE && was_there && may_fail -> n_faults++; is_kept(at); work = NO_WORK
                :: op[at] == WORK_CHECK && !was_there ->
                        mem[at] = IS_LOST; queue ! at, LOST, mem_id[at], false; op[at] = IDLE; work = NO_WORK
                :: op[at] == WORK_CHECK && was_there -> work = MAKES
                fi
           }
        :: atomic { is_up && work == MAKES ->
                if
                :: hw[at] == ABSENT -> hw[at] = MADE
                :: hw[at] == MADE -> hw[at] = ASSIGNED; hw_id[at] = mem_id[at]
                :: hw[at] == ASSIGNED -> hw[at] = BOUND
                :: hw[at] == BOUND && op[at] == WORK_CREATE -> is_ready(at); work = NO_WORK
                :: hw[at] == BOUND && op[at] == WORK_CHECK -> mem[at] = IS_READY; op[at] = IDLE; work = NO_WORK
                :: hw[at] != BOUND && op[at] == WORK_CREATE && may_fail ->
                        n_faults++;
                        is_left_over[at] = was_there;
                        if
#if BREAK == 5
                        :: true -> creation_failed(at); work = NO_WORK /* and nothing is undone */
#else
                        :: was_there || hw[at] == ABSENT -> creation_failed(at); work = NO_WORK
                        :: else -> work = UNDOES
#endif
                        fi
                fi
           }
        :: atomic { is_up && work == UNDOES ->
                if
                :: hw[at] == ASSIGNED -> hw[at] = MADE; hw_id[at] = NO_ID
                :: hw[at] == MADE -> hw[at] = ABSENT
                :: hw[at] == ABSENT -> creation_failed(at); work = NO_WORK
                :: hw[at] != ABSENT && may_fail ->
                        n_faults++; is_left_over[at] = true; creation_failed(at); work = NO_WORK
                fi
           }
        :: atomic { is_up && work == DESTROYS ->
                if
                :: hw[at] == BOUND -> hw[at] = ASSIGNED
                :: hw[at] == ASSIGNED -> hw[at] = MADE; hw_id[at] = NO_ID
                :: hw[at] == MADE -> hw[at] = ABSENT
                :: hw[at] == ABSENT -> is_gone(at); work = NO_WORK
                fi
           }
        od
}

/* Whether a record gives way to the other, which names the same ID: what was being deleted may be gone, and its ID with
 * the other; of two that were being deleted, the earlier one. */
#if BREAK == 4
#define gives_way(n) (rec[n] == DELETING && (rec[other(n)] != DELETING || n == 1))
#else
#define gives_way(n) (rec[n] == DELETING && (rec[other(n)] != DELETING || latest == other(n)))
#endif

/* A record that is read at the start. */
inline load(n) {
        mem_id[n] = NO_ID;
        is_left_over[n] = false;
        is_new[n] = false;
        has_acquired[n] = false;
        previous[n] = NONE;
        if
        :: rec_id[n] == THE_ID && rec_id[other(n)] == THE_ID && gives_way(n) -> skip
        :: rec_id[n] == THE_ID && !(rec_id[other(n)] == THE_ID && gives_way(n)) ->
                assert(is_free); /* else the start would refuse the inventory as damaged */
                is_free = false;
                mem_id[n] = THE_ID
        :: else -> skip
        fi;
        if
        :: rec[n] == NOTHING -> mem[n] = NONE
        :: rec[n] == INTENT -> mem[n] = IS_CREATING; op[n] = WORK_CREATE
        :: rec[n] == READY -> mem[n] = IS_CREATING; op[n] = WORK_CHECK
        :: rec[n] == DELETING -> mem[n] = IS_DELETING; previous[n] = IS_DELETING; op[n] = WORK_DELETE
        :: rec[n] == FAILED -> mem[n] = IS_FAILED
        :: rec[n] == LOST -> mem[n] = IS_LOST; op[n] = WORK_CHECK
        fi
}

/* Its end, and the next start. */
proctype Fate() {
end:    do
        :: atomic { is_up && n_crashes < CRASHES ->
                n_crashes++;
                is_up = false;
                work = NO_WORK; at = 0; was_there = false;
                op[0] = IDLE; op[1] = IDLE;
                waits[0] = false; waits[1] = false;
                mem[0] = NONE; mem[1] = NONE;
                do
                :: nempty(queue) -> queue ? _, _, _, _
                :: empty(queue) -> break
                od
           }
        :: atomic { !is_up ->
                is_free = true;
                load(0);
                load(1);
                is_up = true
           }
        od
}

init {
        atomic {
                run Client(0); run Client(1);
                run Writer(); run Worker(); run Fate()
        }
}

#define settled (is_up && op[0] == IDLE && op[1] == IDLE && len(queue) == 0)

#define is_whole(n) (mem[n] == IS_READY && hw[n] == BOUND && hw_id[n] == THE_ID && rec_id[n] == THE_ID && \
                     (rec[n] == READY || rec[n] == INTENT))
#define is_clean(n) (mem[n] == NONE && mem_id[n] == NO_ID && hw[n] == ABSENT && hw_id[n] == NO_ID && \
                     (rec[n] == NOTHING || n_faults > 0))

/* What was acknowledged is there; and only what is half deleted counts as lost. */
ltl not_lost { [] (settled -> (promised[0] == EXISTS -> is_whole(0)) && (promised[1] == EXISTS -> is_whole(1)) &&
                   (mem[0] != IS_LOST || wants_deletion[0]) && (mem[1] != IS_LOST || wants_deletion[1])) }

/* What was deleted has left nothing; whatever is there is recorded, and the ID is free if nobody has it. */
ltl not_leaked { [] ((settled -> (promised[0] == GONE -> is_clean(0)) && (promised[1] == GONE -> is_clean(1)) &&
                                 (is_free == (mem_id[0] == NO_ID && mem_id[1] == NO_ID))) &&
                     (hw[0] == ABSENT || rec[0] != NOTHING) && (hw[1] == ABSENT || rec[1] != NOTHING)) }

ltl not_twice { [] !(hw_id[0] == THE_ID && hw_id[1] == THE_ID) && [] !(mem_id[0] == THE_ID && mem_id[1] == THE_ID) }

/* However often it dies, as long as that ends. */
ltl deletion_ends { [] (wants_deletion[0] -> <> !wants_deletion[0]) }
