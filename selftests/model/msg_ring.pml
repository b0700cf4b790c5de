/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A message queue's ring in shared pages: sending and receiving without a system call,
 * beside the kernel, which has the queue's list, its sleepers and everything else.
 *
 * Stands for what is to come: lib/fast_msg.c (proctypes Sender and Receiver, S1 to S5,
 * R1 to R5), kernel/msg_ring.c and msg_map.c (K1 to K4, the inlines of proctype Kernel),
 * on top of the kernel's half of queues, kernel/msg_op.c.  Documentation/message_ring.rst
 * has each step with the functions and fields that do it.
 *
 * What is shared is touched one access a step; a read-modify-write is one step.  What
 * only the kernel touches goes with the step before: it is under queue->lock.  The
 * process Kernel is whoever has that lock; which request it takes next is the order in
 * which the lock is got.
 *
 * Names: g_* are ghosts, what has to be.  g_order has the messages that were claimed, in
 * the order of the claims: by CAS of the tail, or by the kernel.
 *
 * Bounds: two slots; positions and bytes are counted modulo 8; up to four threads and
 * four messages, of one byte or two, of two types.  No bound on lost CAS.
 *
 *   USERS	two senders and two receivers
 *   SIBLINGS	threads of one process
 *   KILL_SENDER	one of two senders dies, at any instruction
 *   KILL_RECEIVER	one of two receivers does
 *   STOP	any one thread is stopped, at any instruction, until all others are through
 *   LARGE	a message that does not fit in a slot, among others
 *   TYPED	receivers of types, one of which would not wait
 *   FULL	senders wait for room, one would not wait; one message is large
 *   FULL_KILL	one who has claimed room for which another waits is killed
 *   POLL	somebody polls
 *   CUT	the mapping of a live sender is cut, or that of a live receiver
 *   REMOVE	the queue is removed
 *   WRAP_SENDER	one sends and one receives for ever; a sender is behind by any number of
 *		laps, and may die
 *   WRAP_RECEIVER	the same with a receiver
 *   HOSTILE	somebody scribbles on the words, twice
 *
 * Checked: a message is received once, and whole, and none before one of the wanted
 * type that was claimed earlier; what was sent and not received is in the queue, in the
 * order of the claims, and of the dead nothing that was not sent; there are never more
 * bytes in the queue than it may have, and in the end as many as tail and head say; who
 * is told that the queue is empty or full is told the truth; once nothing moves nobody
 * sleeps who could go, all others are through, and the slots are open to user space.
 * HOSTILE: everybody gets an answer, and what is sent by system call after the kernel
 * has seen the whole ring is received by system call.
 *
 * MUTANT_*: a deliberate fault, which must fail an assertion; scripts/check-model has
 * the list.
 */

/* processes */
#define KERNEL	0
#define A	1
#define B	2
#define C	3
#define D	4
#define PROCS	5

/* which messages */
#define ANY	1
#define ODD	2
#define EVEN	3
#define WANTS(f, id)	((f) == ANY || ((f) == ODD && (id) % 2 == 1) || ((f) == EVEN && (id) % 2 == 0))

/* ---- scenarios: who there is; each thread has a number, a process, two things to do ---- */

#if defined(SIBLINGS)
#define S1	A, 1, 3
#define S2	A, 2, 0
#define R1	A, ANY, ANY
#elif defined(KILL_SENDER)
#define S1	A, 1, 3
#define S2	B, 2, 4
#define R1	C, ANY, ANY
#define KILL1	A
#elif defined(KILL_RECEIVER)
#define S1	A, 1, 3
#define R1	C, ANY, 0
#define R2	D, ANY, 0
#define KILL1	C
#elif defined(STOP)
#define S1	A, 1, 0
#define S2	B, 2, 4
#define R1	C, ANY, ANY
#elif defined(LARGE)
#define LARGE_ID 2
#define S1	A, 1, 3
#define S2	B, 2, 0
#define R1	C, ANY, ANY
#define R2	D, ANY, 0
#elif defined(TYPED)
#define S1	A, 1, 3
#define S2	B, 2, 0
#define R1	C, EVEN, 0
#define R2	D, ODD, 0
#define NOWAIT	3
#elif defined(FULL)
#define LARGE_ID 2
#define LEN(id)	((id) == 2 -> 2 : 1)
#define S1	A, 1, 3
#define S2	B, 2, 4
#define R1	C, ANY, ANY
#define NOWAIT	0
#elif defined(FULL_KILL)
#define LIMIT	2
#define LEN(id)	((id) == 2 -> 2 : 1)
#define S1	A, 1, 3
#define S2	B, 2, 0
#define R1	C, ANY, 0
#define KILL1	A
#elif defined(POLL)
#define S1	A, 1, 0
#define S2	B, 2, 0
#define R1	C, ANY, 0
#define POLLER
#elif defined(CUT)
#define S1	A, 1, 0
#define S2	B, 2, 4
#define R1	C, ANY, ANY
#define CUTTER
#elif defined(REMOVE)
#define S1	A, 1, 3
#define S2	B, 2, 0
#define R1	C, ANY, 0
#define REMOVER
#elif defined(WRAP_SENDER)
#define WRAP
#define S1	A, 1, 1		/* again and again, once it has been received */
#define S2	B, 2, 0
#define R1	C, ANY, ANY	/* again and again */
#define KILL1	B
#elif defined(WRAP_RECEIVER)
#define WRAP
#define S1	A, 1, 1
#define R1	C, ANY, ANY
#define R2	D, ANY, 0
#define KILL1	D
#elif defined(HOSTILE)
#define S1	A, 1, 0
#define R1	C, ANY, 0
#else
#define S1	A, 1, 3
#define S2	B, 2, 0
#define R1	C, ANY, 0
#define R2	D, ANY, 0
#endif

#ifndef N
#define N	2		/* slots */
#endif
#ifdef MUTANT_NARROW_POSITIONS
#define POSITIONS N
#else
#define POSITIONS (4 * N)
#endif
#define BYTES	8
#define TURNS	4
#ifndef LIMIT
#define LIMIT	3
#endif
#ifndef LEN
#define LEN(id)	1
#endif
#ifndef LARGE_ID
#define LARGE_ID 0
#endif
#if defined(HOSTILE)
#define WONT_WAIT(c)	1
#elif defined(NOWAIT)
#define WONT_WAIT(c)	((c) == NOWAIT)
#else
#define WONT_WAIT(c)	0
#endif
#define MESSAGES 4

/* ---- what is shared ---- */

/* slot words */
#define FREE	0		/* user space knows these four */
#define WRITING	1
#define READY	2
#define READING	3
#define REVOKED	4		/* passed by the head; the writer has not noticed yet */
#define TAKEN	5		/* the kernel is at it */

typedef slot_t {
	byte st, pos, own, size;
	byte a, b;		/* the message, in two halves */
	byte g_id;
};

typedef end_t {
	byte pos, bytes;
	byte turn;		/* claims that the kernel has taken over */
	bit held;
};

slot_t slot[N];
end_t tail, head;

#define AT(p)		slot[(p) % N]
#define NEXT(p)		(((p) + 1) % POSITIONS)
#define LAP(p)		(((p) + N) % POSITIONS)
#define AFTER(p, q)	(((p) + POSITIONS - (q)) % POSITIONS)	/* p - q */
#define PASSED(p, by)	(AFTER(by.pos, p) != 0 && AFTER(by.pos, p) <= POSITIONS / 2)
#define ADD(x, y)	(((x) + (y)) % BYTES)
#define IN_QUEUE(t, h)	(((t) + BYTES - (h)) % BYTES)
/* the difference is signed: a head that was loaded late may be beyond the tail */
#define FITS(t, h, n)	(IN_QUEUE(t, h) > LIMIT + 2 || IN_QUEUE(t, h) + (n) <= LIMIT)
#define WORD(p, s, o, n) (AT(p).st == s && AT(p).pos == p && AT(p).own == o && AT(p).size == n)

/* ---- the kernel's ---- */

#define CLIENTS	6		/* four threads, killers or cutters and the like */
#define KILLER	4
#define OTHER	5

/* requests */
#define SEND	1
#define RECEIVE	2
#define FINISH	3		/* a receiver's last CAS has failed */
#define FOLD	4		/* of a process that is dead or whose mapping is cut */
#define UNMAP	5		/* cut the mapping of a live process */
#define POLLING	6
#define REMOVAL	7

/* a request's life */
#define NONE	0
#define ASKED	1
#define ASLEEP	2
#define LEAVING	3
#define DONE	4

#define NOTHING	0		/* results: a message, or */
#define REMOVED	99

byte state[CLIENTS], what[CLIENTS], who[CLIENTS], arg[CLIENTS], res[CLIENTS];
byte place[CLIENTS];		/* the position of a claim, plus 1 */
byte list[MESSAGES], listed;	/* queue->messages */
byte receivers[4], receiving;	/* sleepers, in the order of their coming */
byte senders[4], sending;
byte kept[POSITIONS];		/* received, and taken out of the slot before it was copied */
byte kept_for[POSITIONS];	/* by whom */
bit armed;			/* somebody polls */
bit removed;

/* ---- the life of processes ---- */

bit dead[PROCS], cut[PROCS], running[4], stopped[CLIENTS];
byte live[PROCS];		/* threads */
byte threads, finished;
bit over;			/* nothing moves any more */

/* ---- ghosts ---- */

byte g_order[MESSAGES], g_count;
byte g_sent, g_bytes;		/* a bit for each message in the queue; their bytes */
bit g_gone;			/* the queue is removed */
hidden byte gi;

#define BIT(id)		(1 << (id))
#ifdef HOSTILE
#define CHECK(x)	skip
#else
#define CHECK(x)	assert(x)
#endif

#ifdef HOSTILE
inline g_claim(id) { skip }
inline g_remove(id) { skip }
inline g_publish(id) { skip }
inline g_receive(id, f) { skip }
#else
inline g_claim(id)
{
	g_order[g_count] = id;
	g_count++
}

inline g_remove(id)
{
	gi = 0;
	do
	:: gi < g_count && g_order[gi] != (id) -> gi++
	:: else -> break
	od;
	CHECK(gi < g_count);
	do
	:: gi + 1 < g_count -> g_order[gi] = g_order[gi + 1]; gi++
	:: else -> break
	od;
	g_count--;
	g_order[g_count] = 0
}

inline g_publish(id)
{
	g_sent = g_sent | BIT(id);
	g_bytes = g_bytes + LEN(id);
	CHECK(g_bytes <= LIMIT && !g_gone)
}

/* received by somebody who wants f */
inline g_receive(id, f)
{
	CHECK(g_sent & BIT(id));
	gi = 0;
	do
	:: gi < g_count && g_order[gi] != (id) ->
		CHECK(!WANTS(f, g_order[gi]));
		gi++
	:: else -> break
	od;
	g_remove(id);
	g_sent = g_sent & ~BIT(id);
	g_bytes = g_bytes - LEN(id)
}
#endif

/* is there a message of those in set that f wants? */
#define ODDS		(BIT(1) | BIT(3))
#define EVENS		(BIT(2) | BIT(4))
#define HAS(f, set)	((set) & ((f) == ANY -> 255 : ((f) == ODD -> ODDS : EVENS)))

/* a slot is open to position q */
inline free(i, q)
{
	slot[i].pos = q;
	slot[i].st = FREE;
	slot[i].own = 0;
	slot[i].size = 0;
	slot[i].a = 0;
	slot[i].b = 0;
	slot[i].g_id = 0
}

/* ---- user space ---- */

/* One instruction of the thread. */
#define STEP	(!stopped[me] || dead[p]);		\
		if					\
		:: dead[p] -> goto gone			\
		:: else					\
		fi

inline ask(c, k, p, x)
{
	d_step { what[c] = k; who[c] = p; arg[c] = x; res[c] = 0; state[c] = ASKED }
}

/* until the kernel has answered; who is killed does not sleep on */
inline answered(c)
{
	do
	:: atomic { state[c] == ASLEEP && dead[p] -> state[c] = LEAVING }
	:: atomic {
		(state[c] == DONE && (!stopped[c] || dead[p])) || over ->
		d_step { state[c] = NONE; what[c] = 0; who[c] = 0; arg[c] = 0; place[c] = 0 };
		break
	   }
	od
}

/* What a CAS of a slot's word compares; a page that was cut has nothing that it expects. */
#define OURS(q, s, o, n)	(!cut[p] && WORD(q, s, o, n))
/* And of an end's. */
#define TAIL_IS(q, x, n)	(TAIL_OPEN && tail.pos == q && SAME_BYTES(x) && SAME_TURN(tail, n))
#define HEAD_IS(q, x, n)	(HEAD_OPEN && head.pos == q && head.bytes == x && SAME_TURN(head, n))
#ifdef MUTANT_TAIL_HELD_IGNORED
#define TAIL_OPEN	1
#else
#define TAIL_OPEN	!tail.held
#endif
#ifdef MUTANT_HEAD_HELD_IGNORED
#define HEAD_OPEN	1
#else
#define HEAD_OPEN	!head.held
#endif
#ifdef MUTANT_BYTES_NOT_COMPARED
#define SAME_BYTES(x)	1
#else
#define SAME_BYTES(x)	tail.bytes == x
#endif
#ifdef MUTANT_TURNS_NOT_COUNTED
#define SAME_TURN(e, n)	1
#else
#define SAME_TURN(e, n)	e.turn == n
#endif
#ifdef MUTANT_PUBLISHED_BY_STORE
#define PUBLISHES(q, o, n)	(!cut[p])
#else
#define PUBLISHES(q, o, n)	OURS(q, WRITING, o, n)
#endif
#ifdef MUTANT_FREED_BY_STORE
#define FREES(q, o, n)		(!cut[p])
#else
#define FREES(q, o, n)		OURS(q, READING, o, n)
#endif

proctype Sender(byte me; byte p; byte id; byte next)
{
	byte t, b, turn;

again:
	if
	:: id == LARGE_ID -> goto slow
	:: else
	fi;
	/* S1 */
	atomic {
		STEP;
		if
		:: cut[p] || tail.held -> goto slow
		:: else -> t = tail.pos; b = tail.bytes; turn = tail.turn
		fi
	};
	atomic {
		STEP;
		if
		:: cut[p] || !FITS(b, head.bytes, LEN(id)) -> goto slow
		:: else
		fi
	};
	/* S2 */
	atomic {
		STEP;
		if
		:: OURS(t, FREE, 0, 0) ->
			d_step { AT(t).st = WRITING; AT(t).own = p; AT(t).size = LEN(id); AT(t).g_id = id }
		:: else ->
#ifdef MUTANT_CLAIMS_HELPED
			if
			:: !tail.held && tail.pos == t && AT(t).st == WRITING && AT(t).pos == t ->
				d_step {
					tail.pos = NEXT(t);
					tail.bytes = ADD(tail.bytes, AT(t).size);
					g_claim(AT(t).g_id)
				}
			:: else
			fi;
#endif
			if
			:: tail.pos == t || tail.held || cut[p] -> goto slow
			:: else -> goto again
			fi
		fi
	};
#ifdef MUTANT_COPIED_BEFORE_CLAIM
	atomic { STEP; AT(t).a = (cut[p] -> AT(t).a : id) };
	atomic { STEP; AT(t).b = (cut[p] -> AT(t).b : id) };
#endif
#ifdef MUTANT_PUBLISHED_BEFORE_CLAIM
	atomic { STEP; AT(t).a = id };
	atomic { STEP; AT(t).b = id };
	atomic {
		STEP;
		if
		:: OURS(t, WRITING, p, LEN(id)) -> AT(t).st = READY; AT(t).own = 0
		:: else -> goto slow
		fi
	};
#endif
	/* S3 */
	atomic {
		STEP;
		if
		:: !cut[p] && TAIL_IS(t, b, turn) ->
			d_step { tail.pos = NEXT(t); tail.bytes = ADD(tail.bytes, LEN(id)); g_claim(id) }
		:: else -> place[me] = t + 1; goto slow
		fi
	};
#ifdef MUTANT_PUBLISHED_BEFORE_CLAIM
	d_step { g_publish(id) };
	goto sent;
#endif
#ifndef MUTANT_COPIED_BEFORE_CLAIM
	/* S4 */
	atomic { STEP; AT(t).a = (cut[p] -> AT(t).a : id) };
	atomic { STEP; AT(t).b = (cut[p] -> AT(t).b : id) };
#endif
	/* S5 */
	atomic {
		STEP;
		if
		:: PUBLISHES(t, p, LEN(id)) ->
			d_step { AT(t).st = READY; AT(t).own = 0; g_publish(id) };
			goto sent
		:: else -> place[me] = t + 1; goto slow
		fi
	};
slow:	/* the rest is the kernel's */
#ifdef WRAP
	atomic {
		if
		:: me == 0 && !place[0] && AT(tail.pos).st != WRITING -> goto again
		:: else
		fi
	};
#endif
	atomic { STEP; t = 0; b = 0; turn = 0; ask(me, SEND, p, id) };
	answered(me);
sent:
	atomic {
		res[me] = 0;
#ifdef WRAP
		me == 1 || dead[p] || !(g_sent & BIT(id));
		next = (me == 1 -> 0 : id);
#endif
		id = next;
		next = 0;
		t = 0;
		b = 0;
		turn = 0;
		if
		:: id && !dead[p] && !over -> goto again
		:: else
		fi
	};
gone:
	atomic { t = 0; b = 0; turn = 0; id = 0; next = 0; live[p]--; finished++; running[me] = 0; stopped[me] = 0 }
}

proctype Receiver(byte me; byte p; byte f; byte next)
{
	byte h, b, turn, n, x, y, seen;
	byte g_got;	/* what was received, by R3 or by the kernel */

begin:
	/* R1 */
	atomic {
		STEP;
		seen = (WONT_WAIT(me) -> g_sent : 0);
		if
		:: cut[p] || head.held -> goto slow
		:: else -> h = head.pos; b = head.bytes; turn = head.turn; goto loaded
		fi
	};
again:
	atomic {
		STEP;
		if
		:: cut[p] || head.held -> goto slow
		:: else -> h = head.pos; b = head.bytes; turn = head.turn
		fi
	};
loaded:
	atomic {
		STEP;
		if
		:: cut[p] -> goto slow
		:: !cut[p] && AT(h).st == READY && AT(h).pos == h -> n = AT(h).size
		:: !cut[p] && AT(h).st == FREE && AT(h).pos == h && WONT_WAIT(me) -> goto nothing
#ifdef MUTANT_CLAIM_IS_NOTHING
		:: !cut[p] && AT(h).st == WRITING && AT(h).pos == h && WONT_WAIT(me) -> goto nothing
#endif
		:: else ->
			if
			:: head.pos == h || head.held -> goto slow
			:: else -> goto again
			fi
		fi
	};
	if
	:: f != ANY ->
		atomic {
			STEP;
			if
			:: cut[p] || !WANTS(f, AT(h).a) -> goto slow
			:: else
			fi
		}
	:: else
	fi;
	/* R2 */
	atomic {
		STEP;
		if
		:: OURS(h, READY, 0, n) -> AT(h).st = READING; AT(h).own = p
		:: else -> goto again
		fi
	};
#ifdef MUTANT_FREED_BEFORE_HEAD
	atomic { STEP; x = AT(h).a };
	atomic { STEP; y = AT(h).b };
	atomic {
		STEP;
		if
		:: OURS(h, READING, p, n) -> g_got = AT(h).g_id; d_step { free(h % N, LAP(h)) }
		:: else -> goto again
		fi
	};
	atomic {
		STEP;
		if
		:: HEAD_IS(h, b, turn) ->
			d_step {
				head.pos = NEXT(h);
				head.bytes = ADD(b, n);
				g_receive(g_got, f);
				CHECK(x == g_got && y == g_got)
			};
			goto got
		:: else -> goto slow
		fi
	};
#endif
	/* R3 */
	atomic {
		STEP;
		if
		:: !cut[p] && HEAD_IS(h, b, turn) ->
			d_step {
				head.pos = NEXT(h);
				head.bytes = ADD(b, n);
				g_got = AT(h).g_id;
				g_receive(g_got, f)
			}
		:: else -> place[me] = h + 1; goto slow
		fi
	};
	/* R4 */
	atomic { STEP; x = (cut[p] -> 0 : AT(h).a) };
	atomic { STEP; y = (cut[p] -> 0 : AT(h).b) };
	/* R5 */
	atomic {
		STEP;
		if
		:: FREES(h, p, n) ->
			d_step {
				free(h % N, LAP(h));
				CHECK(x == g_got && y == g_got)
			}
		:: else ->
			place[me] = h + 1;
			ask(me, FINISH, p, 0);
			goto finish
		fi
	};
	goto got;
finish:
	answered(me);
	CHECK(res[me] == REMOVED || res[me] == g_got);
	goto got;
nothing:	/* user space's answer to NOWAIT */
	CHECK(!HAS(f, seen & g_sent));
	goto got;

slow:	/* the rest is the kernel's */
#ifdef WRAP
	atomic {
		if
		:: me == 2 && !place[2] && AT(head.pos).st != READING -> goto begin
		:: else
		fi
	};
#endif
	atomic { STEP; h = 0; b = 0; turn = 0; n = 0; ask(me, RECEIVE, p, f) };
	answered(me);
	atomic {
		CHECK(res[me] != NOTHING || over || dead[p] || !HAS(f, seen & g_sent));
		seen = 0;
		g_got = (res[me] != REMOVED -> res[me] : 0)
	};
got:
	atomic {
		g_got = 0;
		res[me] = 0;
#ifdef WRAP
		next = (me == 2 -> f : 0);
#endif
		f = next;
		next = 0;
		h = 0;
		b = 0;
		turn = 0;
		n = 0;
		x = 0;
		y = 0;
		if
		:: f && !dead[p] && !over -> goto begin
		:: else
		fi
	};
gone:
	atomic {
		g_got = 0;
		f = 0;
		next = 0;
		h = 0;
		b = 0;
		turn = 0;
		n = 0;
		x = 0;
		y = 0;
		seen = 0;
		live[p]--;
		finished++;
		running[me] = 0;
		stopped[me] = 0
	}
}

proctype Killer(byte p)
{
	dead[p] = 1;
	/* its memory goes when its last thread has gone */
	live[p] == 0;
	ask(KILLER, FOLD, p, 0);
	answered(KILLER)
}

/* the mapping of a sender or of a receiver */
proctype Cutter(byte p)
{
	if
	:: p = A
	:: p = C
	fi;
	ask(OTHER, UNMAP, p, 0);
	answered(OTHER)
}

proctype Poller(byte p)
{
	byte seen;

	atomic { seen = g_sent; ask(OTHER, POLLING, p, 0) };
	answered(OTHER);
	CHECK(res[OTHER] || over || !(seen & g_sent));
	res[OTHER] = 0;
	seen = 0
}

proctype Remover(byte p)
{
	ask(OTHER, REMOVAL, p, 0);
	answered(OTHER)
}

/* somebody who maps the queue writes what he likes */
proctype Scribbler()
{
	byte n, v;

	do
	:: n == 2 -> break
	:: n < 2 ->
		select (v : 0 .. 5);
		if
		:: slot[0].st = v
		:: v <= 1 -> slot[1].st = v * 4
		:: v <= 3 -> slot[0].own = v
		:: v <= 1 -> slot[0].pos = (slot[0].pos + 2 * v + 1) % POSITIONS
		:: v <= 3 -> tail.pos = (tail.pos + v + 1) % POSITIONS
		:: v <= 1 -> head.pos = (head.pos + v + 1) % POSITIONS
		:: v == 0 -> tail.bytes = ADD(tail.bytes, 3)
		:: v == 0 -> head.bytes = ADD(head.bytes, 1)
		:: v <= 1 -> tail.held = v
		:: v <= 1 -> head.held = v
		fi;
		n++
	od
}

/* Somebody does not go on. */
proctype Stopper()
{
	if
	:: atomic { running[0] -> stopped[0] = 1 }
	:: atomic { running[1] -> stopped[1] = 1 }
	:: atomic { running[2] -> stopped[2] = 1 }
	:: skip
	fi
}

/* ---- the kernel ---- */

#define K	AT(head.pos)
#define T	AT(tail.pos)

/* a receiver of the last lap; or it is the head's, which has not been moved */
#ifdef MUTANT_RECEIVED_BEFORE_HEAD
#define HAS_RECEIVED	1
#else
#define HAS_RECEIVED	PASSED(T.pos, head)
#endif

/* between head and tail */
#define IMPOSSIBLE(q)	(AT(q).pos != q || AT(q).st == FREE || AT(q).st == REVOKED || AT(q).st == TAKEN)

/*
 * Words that no honest process leaves behind: all mappings are cut, and the ring begins
 * anew, empty.
 */
inline begin_anew()
{
	d_step {
		cut[A] = 1;
		cut[B] = 1;
		cut[C] = 1;
		cut[D] = 1;
		head.pos = tail.pos;
		head.bytes = tail.bytes;
		k = 0;
		do
		:: k < N -> free((tail.pos + k) % N, (tail.pos + k) % POSITIONS); k++
		:: else -> break
		od;
		k = 0;
		do
		:: k < listed -> tail.bytes = ADD(tail.bytes, LEN(list[k])); k++
		:: else -> break
		od;
		k = tail.pos
	}
}
#ifdef HOSTILE
#define HOPELESS	begin_anew()
#else
#define HOPELESS	assert(false)
#endif

/* Head passes its slot, which then is open. */
inline pass()
{
	d_step { k = head.pos; head.pos = NEXT(k); free(k % N, LAP(k)); k = 0 }
}

/*
 * Exchange the word at the head, READY, or READING by who has not moved the head and has
 * not received; copy the message, which becomes the kernel's: got.
 */
inline take()
{
	d_step { head.turn = (head.turn + (K.st == READING)) % TURNS; K.st = TAKEN; K.own = 0 }
}

inline copy()
{
	got = K.a;
	CHECK(K.a == K.b && K.a == K.g_id);
	pass()
}

/*
 * Make what is in the ring the list's: all that was published; what has been claimed
 * before that is revoked.  all: and what has been claimed after it.
 */
inline empty_ring(all)
{
	atomic { k = head.pos; last = (all -> tail.pos : k) };
	do
	:: atomic { !(all) && k != tail.pos && IMPOSSIBLE(k) -> HOPELESS; last = head.pos }
	:: atomic {
		!(all) && k != tail.pos && !IMPOSSIBLE(k) ->
		last = (AT(k).st == READY || AT(k).st == READING -> NEXT(k) : last);
#ifdef MUTANT_LOOKS_TO_CLAIM
		k = (AT(k).st == WRITING -> tail.pos : NEXT(k))
#else
		k = NEXT(k)
#endif
	   }
	:: atomic { all || k == tail.pos -> k = 0; break }
	od;
	do
	:: atomic { head.pos != last && IMPOSSIBLE(head.pos) -> HOPELESS; last = head.pos }
#ifdef MUTANT_HEAD_CLAIM_COUNTS
	:: atomic { head.pos != last && K.pos == head.pos && K.st == READING -> pass() }
	:: atomic { head.pos != last && K.pos == head.pos && K.st == READY -> take() };
#else
	:: atomic { head.pos != last && K.pos == head.pos && (K.st == READY || K.st == READING) -> take() };
#endif
	   atomic { copy(); list[listed] = got; listed++; got = 0 }
	:: atomic {
		/* CAS: it may be published */
		head.pos != last && K.pos == head.pos && K.st == WRITING ->
		d_step {
			K.st = REVOKED;
			g_remove(K.g_id);
#ifndef MUTANT_REVOKED_KEEPS_BYTES
			head.bytes = ADD(head.bytes, K.size);
#endif
#ifdef MUTANT_REVOKED_IS_FREE
			pass()
#else
			head.pos = NEXT(head.pos)
#endif
		}
	   }
	:: atomic { head.pos == last -> last = 0; break }
	od
}

/* take number k off an array of n */
#define UNLIST(array, n)					\
	d_step {						\
		do						\
		:: k + 1 < n -> array[k] = array[k + 1]; k++	\
		:: else -> break				\
		od;						\
		n--;						\
		array[n] = 0;					\
		k = 0						\
	}

/* the first of the list that f wants: got; it leaves the queue */
inline find(f)
{
	atomic {
		k = 0;
		do
		:: k < listed && !WANTS(f, list[k]) -> k++
		:: else -> break
		od;
		if
		:: k < listed ->
			got = list[k];
			UNLIST(list, listed);
			d_step { head.bytes = ADD(head.bytes, LEN(got)); g_receive(got, f) }
		:: else -> k = 0
		fi
	}
}

/*
 * Is there room?  If the words say no, the answer is what is in the list once the ring is
 * empty.
 */
inline ask_room(m)
{
	if
	:: FITS(tail.bytes, head.bytes, LEN(m)) -> room = 1
#ifdef MUTANT_CLAIMS_TAKE_ROOM
	:: else -> room = 0
#else
	:: else ->
		empty_ring(1);
		atomic {
			d_step {
				k = 0;
				q = 0;
				do
				:: k < listed -> q = q + LEN(list[k]); k++
				:: else -> break
				od;
				CHECK(IN_QUEUE(tail.bytes, head.bytes) == q);
				tail.bytes = ADD(head.bytes, q);
				room = (q + LEN(m) <= LIMIT);
				k = 0;
				q = 0
			}
		}
#endif
	fi
}

/* one event for who polls, and no more until it polls again */
inline wake_poller()
{
	if
#ifndef MUTANT_POLLER_STAYS
	:: armed -> d_step { armed = 0; res[OTHER] = 1; state[OTHER] = DONE }
#else
	:: armed -> d_step { res[OTHER] = 1; state[OTHER] = DONE }
#endif
	:: else
	fi
}

/* a message enters the queue, or is handed to who sleeps for it */
inline put(m)
{
	atomic {
		k = 0;
		do
		:: k < receiving && !WANTS(arg[receivers[k]], m) -> k++
		:: else -> break
		od;
		if
		:: k < receiving ->
			d_step {
				q = receivers[k];
				gi = 0;
				do
				:: gi < g_count -> CHECK(!WANTS(arg[q], g_order[gi])); gi++
				:: else -> break
				od;
				res[q] = m;
				state[q] = DONE;
				q = 0
			};
			UNLIST(receivers, receiving);
			done = 1
		:: else -> k = 0
		fi
	};
	do
	:: atomic { done || m == LARGE_ID -> break }
	:: atomic {
		/* exchange: who claims it and has not moved the tail has nothing */
		!done && m != LARGE_ID && T.pos == tail.pos && (T.st == FREE || T.st == WRITING) ->
		d_step {
			tail.turn = (tail.turn + (T.st == WRITING)) % TURNS;
			T.st = WRITING;
			T.own = KERNEL;
			T.size = LEN(m)
		}
	   };
	   atomic {
		d_step {
			q = tail.pos;
			T.a = m;
			T.b = m;
			T.g_id = m;
			g_claim(m);
			tail.pos = NEXT(q);
			tail.bytes = ADD(tail.bytes, LEN(m));
			AT(q).st = READY;
			g_publish(m);
			q = 0;
			done = 1
		};
		wake_poller();
		break
	   }
	:: atomic {
		/* a receiver of the last lap is slow: it will ask for it; CAS */
		!done && m != LARGE_ID && T.st == READING && HAS_RECEIVED ->
		q = T.own;
		T.st = TAKEN
	   };
	   d_step {
		kept[T.pos] = T.a;
		kept_for[T.pos] = q;
		q = 0;
		CHECK(T.a == T.b);
		free(tail.pos % N, tail.pos)
	   }
	:: atomic {
		!done && m != LARGE_ID && (T.st == READY || T.st == REVOKED || T.st == TAKEN ||
			((T.st == FREE || T.st == WRITING) && T.pos != tail.pos) ||
			(T.st == READING && !HAS_RECEIVED)) ->
		break
	   }
	od;
	if
	:: done -> done = 0
	:: else ->
#ifndef MUTANT_LIST_OVERTAKES
		empty_ring(1);
#endif
		atomic {
			d_step {
				list[listed] = m;
				listed++;
				tail.bytes = ADD(tail.bytes, LEN(m));
				g_claim(m);
				g_publish(m)
			};
			wake_poller()
		}
	fi
}

/* senders whose message fits in go on, first come first */
inline settle_senders()
{
	do
	:: n < sending ->
		m = arg[senders[n]];
		ask_room(m);
		if
		:: room ->
			room = 0;
			put(m);
			atomic {
				d_step { res[senders[n]] = 1; state[senders[n]] = DONE; k = n };
				UNLIST(senders, sending);
				n = 0
			}
		:: else -> n++
		fi;
		m = 0
	:: else -> n = 0; break
	od
}

/* what a process was in the middle of whose mapping has gone */
inline fold(p)
{
#ifndef MUTANT_DEAD_IS_FREE
	atomic {
		do
		:: n < N && !(slot[n].own == p && slot[n].st == WRITING &&
			PASSED(slot[n].pos, tail)) -> n++
		:: else -> break
		od
	};
	if
	:: n < N -> n = 0; empty_ring(1)
	:: else -> n = 0
	fi;
#endif
	do
	:: n < N ->
		atomic {
			if
			:: slot[n].own != p || (slot[n].st != WRITING && slot[n].st != READING &&
				slot[n].st != REVOKED)
			:: slot[n].own == p && slot[n].st == WRITING ->
				d_step { free(n, slot[n].pos) }
			:: slot[n].own == p && slot[n].st == READING && PASSED(slot[n].pos, head) ->
				d_step {
#ifndef MUTANT_CUT_FORGETS_RECEIVED
					kept[slot[n].pos] = slot[n].a;
					kept_for[slot[n].pos] = p;
#endif
					free(n, LAP(slot[n].pos))
				}
			:: slot[n].own == p && slot[n].st == READING && !PASSED(slot[n].pos, head) ->
				d_step { slot[n].st = READY; slot[n].own = 0 }
			:: slot[n].own == p && slot[n].st == REVOKED ->
				d_step { free(n, LAP(slot[n].pos)) }
			fi;
			n++
		}
	:: else -> break
	od;
	n = 0;
	d_step {
		do
		:: n < POSITIONS ->
			if
			:: kept_for[n] == p && dead[p] -> kept[n] = 0; kept_for[n] = 0
			:: else
			fi;
			n++
		:: else -> break
		od;
		n = 0
	}
}

/* all mappings are cut, all sleepers woken, all messages freed */
inline remove_all()
{
	d_step {
#ifndef MUTANT_REMOVED_NOT_CUT
		cut[A] = 1;
		cut[B] = 1;
		cut[C] = 1;
		cut[D] = 1;
#endif
		g_gone = 1;
		g_sent = 0;
		g_bytes = 0;
		do
		:: receiving > 0 ->
			receiving--;
			res[receivers[receiving]] = REMOVED;
			state[receivers[receiving]] = DONE;
			receivers[receiving] = 0
		:: sending > 0 ->
			sending--;
			res[senders[sending]] = REMOVED;
			state[senders[sending]] = DONE;
			senders[sending] = 0
		:: listed > 0 -> listed--; list[listed] = 0
		:: g_count > 0 -> g_count--; g_order[g_count] = 0
		:: else -> break
		od
	}
}

proctype Kernel()
{
	byte c, k, m, n, q, got, last;
#ifdef MUTANT_CUT_AFTER_RELEASE
	byte late;
#endif
	bit done, room;

end:	do
	:: atomic {
		if
		:: state[0] == ASKED || state[0] == LEAVING -> c = 0
		:: state[1] == ASKED || state[1] == LEAVING -> c = 1
		:: state[2] == ASKED || state[2] == LEAVING -> c = 2
		:: state[3] == ASKED || state[3] == LEAVING -> c = 3
		:: state[4] == ASKED || state[4] == LEAVING -> c = 4
		:: state[5] == ASKED || state[5] == LEAVING -> c = 5
		fi;
		if
		:: removed ->
			d_step { res[c] = REMOVED; state[c] = DONE; c = 0 };
			goto end
		:: else
		fi;
		/* K1 */
#ifdef MUTANT_TAIL_HELD_LATE
		skip
#else
		tail.held = 1
#endif
	   };
	   atomic {
		head.held = 1;
		if
		:: AFTER(tail.pos, head.pos) > N -> HOPELESS; k = 0
		:: else
		fi
	   };

	   /* K2 */
	   if
	   :: state[c] == LEAVING ->
		atomic {
			if
			:: what[c] == SEND ->
				do
				:: senders[k] == c -> break
				:: else -> k++
				od;
				skip;	/* no jump into a d_step */
				UNLIST(senders, sending)
			:: else ->
				do
				:: receivers[k] == c -> break
				:: else -> k++
				od;
				skip;
				UNLIST(receivers, receiving)
			fi;
			state[c] = DONE
		}
	   :: state[c] == ASKED && what[c] == SEND ->
		atomic {
			/* the sender has noticed, or gives up its claim */
			m = arg[c];
			q = place[c];
			if
			:: q && WORD(q - 1, REVOKED, who[c], LEN(m)) ->
				d_step { free((q - 1) % N, LAP(q - 1)) }
			:: q && WORD(q - 1, WRITING, who[c], LEN(m)) && !PASSED(q - 1, tail) ->
				d_step { free((q - 1) % N, q - 1) }
			:: else
			fi;
			q = 0
		};
		ask_room(m);
		if
		:: room ->
			room = 0;
			put(m);
			atomic { res[c] = 1; state[c] = DONE }
		:: else ->
			atomic {
				CHECK(g_bytes + LEN(m) > LIMIT);
				if
				:: WONT_WAIT(c) -> state[c] = DONE
				:: else -> d_step { senders[sending] = c; sending++; state[c] = ASLEEP }
				fi
			}
		fi;
		m = 0
	   :: state[c] == ASKED && what[c] == RECEIVE ->
		atomic {
			q = place[c];
			if
			:: q && AT(q - 1).st == READING && AT(q - 1).pos == q - 1 &&
			   AT(q - 1).own == who[c] && !PASSED(q - 1, head) ->
				AT(q - 1).st = READY;
				AT(q - 1).own = 0
			:: else
			fi;
			q = 0
		};
		if
		:: atomic {
			listed == 0 && arg[c] == ANY && head.pos != tail.pos && K.pos == head.pos &&
#ifdef MUTANT_HEAD_CLAIM_COUNTS
			K.st == READY ->
#else
			(K.st == READY || K.st == READING) ->
#endif
			take()
		   };
		   atomic {
			copy();
			d_step { head.bytes = ADD(head.bytes, LEN(got)); g_receive(got, ANY) }
		   }
		:: else ->
			empty_ring(0);
			find(arg[c]);
#ifndef MUTANT_SLEEPER_LEAVES_CLAIMS
			if
			:: got == 0 && !WONT_WAIT(c) ->
				empty_ring(1);
				find(arg[c])
			:: else
			fi
#endif
		fi;
		atomic {
			if
			:: got || WONT_WAIT(c) -> d_step { res[c] = got; got = 0; state[c] = DONE }
			:: else ->
				d_step {
#ifndef MUTANT_TAIL_HELD_LATE
					CHECK(!HAS(arg[c], g_sent));
#endif
					tail.held = 1;
					receivers[receiving] = c;
					receiving++;
					state[c] = ASLEEP
				}
			fi
		}
	   :: state[c] == ASKED && what[c] == FINISH ->
		d_step {
			q = place[c] - 1;
			CHECK(kept_for[q] == who[c]);
			if
			:: kept_for[q] == who[c] ->
				res[c] = kept[q];
				kept[q] = 0;
				kept_for[q] = 0
			:: else
			fi;
			q = 0;
			state[c] = DONE
		}
	   :: state[c] == ASKED && what[c] == FOLD ->
		fold(who[c]);
		state[c] = DONE;
		goto release		/* it changes nothing for who sleeps */
	   :: state[c] == ASKED && what[c] == UNMAP ->
#ifdef MUTANT_CUT_AFTER_RELEASE
		late = who[c];
#else
		cut[who[c]] = 1;
#endif
		fold(who[c]);
		state[c] = DONE;
		goto release
	   :: state[c] == ASKED && what[c] == POLLING ->
		k = head.pos;
		do
		:: k != tail.pos && AT(k).st != READY && AT(k).st != READING -> k = NEXT(k)
		:: else -> break
		od;
		if
#ifndef MUTANT_POLLER_LEAVES_CLAIMS
		:: listed == 0 && k == tail.pos -> empty_ring(1)
#endif
		:: else
		fi;
		atomic {
			if
#ifndef MUTANT_POLLER_LEAVES_CLAIMS
			:: listed > 0 || head.pos != tail.pos -> d_step { res[c] = 1; state[c] = DONE }
#else
			:: listed > 0 || k != tail.pos -> d_step { res[c] = 1; state[c] = DONE }
#endif
			:: else -> d_step { armed = 1; state[c] = ASLEEP }
			fi;
			k = 0
		}
	   :: state[c] == ASKED && what[c] == REMOVAL ->
		removed = 1;
		atomic { remove_all(); armed = 0; state[c] = DONE }
	   fi;

	   /* K3 */
	   settle_senders();

	   /* K4 */
release:
	   atomic {
		if
#ifdef MUTANT_HEAD_OPEN_BEFORE_LIST
		:: !removed -> head.held = 0
#else
		:: !listed && !removed -> head.held = 0
#endif
		:: else
		fi
	   };
	   atomic {
		if
#ifdef MUTANT_TAIL_OPEN_FOR_RECEIVER
		:: !sending && !armed && !removed -> tail.held = 0
#else
		:: !receiving && !sending && !armed && !removed -> tail.held = 0
#endif
		:: else
		fi
	   };
#ifdef MUTANT_CUT_AFTER_RELEASE
	   cut[late] = 1;
	   late = 0;
#endif
	   c = 0
	od
}

/* ---- the end ---- */

/* Once nothing moves. */
inline check_all()
{
	d_step {
		k = 0;
		do
		:: k < sending -> CHECK(g_bytes + LEN(arg[senders[k]]) > LIMIT); k++
		:: else -> break
		od;
		k = 0;
		do
		:: k < receiving -> CHECK(!HAS(arg[receivers[k]], g_sent)); k++
		:: else -> break
		od;
		assert(finished + sending + receiving + stops == threads);
		CHECK(!armed || !g_sent);
		if
		:: !removed ->
			/* the list, then the ring, is what has been sent, in the order of the claims */
			k = 0;
			n = 0;
			do
			:: k < listed -> CHECK(g_order[k] == list[k]); k++
			:: else -> break
			od;
			q = head.pos;
			do
			:: q != tail.pos ->
				if
				:: AT(q).st == READY && AT(q).pos == q -> CHECK(g_order[k] == AT(q).a); k++
				:: stops && (AT(q).st == WRITING || AT(q).st == READING) && AT(q).pos == q ->
					CHECK(g_order[k] == AT(q).g_id);
					k++
				:: else -> CHECK(false)
				fi;
				n++;
				q = NEXT(q)
			:: else -> break
			od;
			CHECK(k == g_count);
			CHECK(n <= N);
			do
			:: n < N ->
				CHECK((AT(q).st == FREE && AT(q).pos == q) || stops);
				n++;
				q = NEXT(q)
			:: else -> break
			od;
			CHECK(IN_QUEUE(tail.bytes, head.bytes) == g_bytes || stops);
			CHECK(head.held == (listed > 0));
			CHECK(tail.held == (sending || receiving || armed))
		:: else
		fi;
		k = 0;
		n = 0;
		q = 0
	}
}

init
{
	byte k, n, q, stops;

	atomic {
		head.pos = POSITIONS - 1;
		tail.pos = POSITIONS - 1;
		head.bytes = BYTES - 1;
		tail.bytes = BYTES - 1;
		do
		:: k < N ->
			q = (POSITIONS - 1 + k) % POSITIONS;
			AT(q).pos = q;
			k++
		:: else -> k = 0; q = 0; break
		od;
		run Kernel();
#ifdef S1
		threads++;
		running[0] = 1;
		run Sender(0, S1);
#endif
#ifdef S2
		threads++;
		running[1] = 1;
		run Sender(1, S2);
#endif
#ifdef R1
		threads++;
		running[2] = 1;
		run Receiver(2, R1);
#endif
#ifdef R2
		threads++;
		running[3] = 1;
		run Receiver(3, R2);
#endif
#if defined(SIBLINGS)
		live[A] = threads;
#else
		live[A] = 1;
		live[B] = 1;
		live[C] = 1;
		live[D] = 1;
#endif
#ifdef KILL1
		run Killer(KILL1);
#endif
#ifdef CUTTER
		run Cutter(0);
#endif
#ifdef POLLER
		run Poller(D);
#endif
#ifdef REMOVER
		run Remover(D);
#endif
#ifdef STOP
		run Stopper();
#endif
#ifdef HOSTILE
		run Scribbler();
#endif
	};

	timeout;
#ifdef STOP
	d_step {
		k = 0;
		do
		:: k < 4 ->
			stops = stops + (stopped[k] && (state[k] == NONE || state[k] == DONE));
			k++
		:: else -> break
		od;
		k = 0
	};
	check_all();
	atomic {
		stops = 0;
		stopped[0] = 0;
		stopped[1] = 0;
		stopped[2] = 0;
		stopped[3] = 0
	};
	timeout;
#endif
#ifdef HOSTILE
	/* once the kernel has looked at all of it, it works */
	assert(finished == threads);
	do
	:: k < 2 + N ->
		ask(OTHER, RECEIVE, D, ANY);
		timeout;
		assert(state[OTHER] == DONE);
		k++
	:: else -> break
	od;
	assert(res[OTHER] == NOTHING);
	ask(OTHER, SEND, D, 2);
	timeout;
	assert(state[OTHER] == DONE && res[OTHER] == 1);
	ask(OTHER, RECEIVE, D, ANY);
	timeout;
	assert(state[OTHER] == DONE && res[OTHER] != NOTHING);
#else
	check_all();
#endif
	over = 1
}
