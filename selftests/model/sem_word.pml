/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The semaphore word without undo: plain operations of user space against
 * operations of the kernel, sleeping and waking, one word and two.
 *
 * Stands for: kipc_fast_semop() without SEM_UNDO in lib/fast_sem.c (steps P2, P3);
 * semop in kernel/sem_op.c (K1 to K4) and the helpers of kernel/sem_word.h.
 * One client is one process.  Undo, death and DRAIN: sem_undo.pml.
 *
 * What is shared is touched one access a step; a read-modify-write is one step.
 * The process Kernel is whoever has set->lock; which request it takes next is the
 * order in which the lock is got.  No bound on retries of the CAS.
 *
 * Bounds: two semaphores, five clients, each one operation or two, values up to 4.
 *
 *   MIXED	values 1, 1.  {-1, -1} then {+1, +1}; plain -1 then +1 on the first word;
 *		the same on the second; {wait for zero, +1}, which may leave (signal,
 *		time-out)
 *   CHAIN	values 0, 0.  {-1, }; {+1, -1}; {-1, }, which may leave; plain +1 on the
 *		second word; plain +1 on the first, then wait for zero of the second: a
 *		sleeper's completion lets go an earlier one, two want the same unit
 *   HOSTILE	values 1, 1.  Operations as in MIXED, none of which may wait, and somebody
 *		who writes twice to the first word: HELD or KEPT, a bogus BUSY, a value
 *
 * Checked: value conserved (each access of the kernel meets the value that the
 * operations so far make); once nothing moves, nobody sleeps who could go and all others
 * have finished; no operation of user space on a word that a sleeper names; of the
 * sleepers that can go the first come goes; HELD if and only if somebody sleeps on the
 * word.  HOSTILE: every operation finishes, and after one more operation of the kernel
 * the fast path is open; values are not promised.
 *
 * MUTANT_*: a deliberate fault, which must fail an assertion; scripts/check-model
 * has the list.
 */

#define WORDS	2
#define CLIENTS	5

/* A request's life. */
#define NONE	0
#define ASKED	1
#define ASLEEP	2
#define LEAVING	3	/* asleep, and a signal or the time-out has come */
#define DONE	4

typedef word_t {
	byte val;
	bit held;
	bit kept;
	bit slot;	/* BUSY; always bogus in this model */
};

/* An operation on a set: for each word 2 bits, 0 not named, else sem_op + 2. */
#define OP(n)		((n) + 2)
#define SEMOP(n0, n1)	((n0) + 4 * (n1))
#define NAMES(r, i)	((what[r] >> (2 * (i))) & 3)
#define SEM_OP(r, i)	(NAMES(r, i) - 2)

word_t w[WORDS];
byte what[CLIENTS], state[CLIENTS];	/* the requests */

byte queue[CLIENTS], queued;	/* the sleepers, in the order of their coming */
byte waiting[WORDS];		/* sem->waiting */
bit over;			/* nothing moves any more */
byte finished;

byte ghost[WORDS];		/* what the value has to be */

#ifdef HOSTILE
#define CHECK(x)	skip
#define NOWAIT	1
#else
#define CHECK(x)	assert(x)
#define NOWAIT	0
#endif

#define CLEAN(i)	(!w[i].held && !w[i].kept && !w[i].slot)

#define GOES1(r, i, v)	(NAMES(r, i) == 0 || NAMES(r, i) == OP(1) || \
			 (NAMES(r, i) == OP(0) && (v) == 0) || \
			 (NAMES(r, i) == OP(-1) && (v) > 0))
#define GOES(r, v0, v1)	(GOES1(r, 0, v0) && GOES1(r, 1, v1))

#define STUCK(c)	((state[c] == ASLEEP || state[c] == LEAVING) && GOES(c, w[0].val, w[1].val))

/* ---- user space ---- */

inline ask(semop)
{
	d_step { what[me] = semop; state[me] = ASKED }
}

/* until the kernel has answered; leaves: the sleep may be cut short */
inline answered(leaves)
{
	do
	:: atomic { leaves && state[me] == ASLEEP -> state[me] = LEAVING }
	:: atomic {
		state[me] == DONE || over -> d_step { state[me] = NONE; what[me] = 0 }
		break
	   }
	od
}

inline slow(semop, leaves)
{
	ask(semop);
	answered(leaves)
}

/* P2, P3; the rest is the kernel's */
inline fast(i, n)
{
	do
	:: atomic {
		if
#ifndef MUTANT_FLAGS_IGNORED
		:: !CLEAN(i) -> slow(OP(n) << (2 * i), 0); break
#endif
		:: else ->
			if
			:: (n < 0 && w[i].val == 0) || (n == 0 && w[i].val > 0) ->
				slow(OP(n) << (2 * i), 0);
				break
			:: else -> old = w[i].val
			fi
		fi
	   }
	   atomic {
		if
#ifdef MUTANT_FLAGS_IGNORED
		:: w[i].val == old ->
#else
		:: w[i].val == old && CLEAN(i) ->
#endif
			CHECK(waiting[i] == 0);
			w[i].val = old + n;
			ghost[i] = ghost[i] + n;
			old = 0;
			break
		:: else -> old = 0
		fi
	   }
	od
}

proctype Client(byte me)
{
	byte old;

	if
#if defined(CHAIN)
	:: me == 0 -> slow(SEMOP(OP(-1), 0), 0)
	:: me == 1 -> slow(SEMOP(OP(1), OP(-1)), 0)
	:: me == 2 -> fast(1, 1)
	:: me == 3 -> slow(SEMOP(OP(-1), 0), 1)
	:: me == 4 -> fast(0, 1); fast(1, 0)
#elif defined(HOSTILE)
	:: me == 0 -> slow(SEMOP(OP(-1), OP(-1)), 0); slow(SEMOP(OP(1), OP(1)), 0)
	:: me == 1 -> fast(0, -1); fast(0, 1)
	:: me == 3 ->
		byte n;
		do
		:: n == 2 -> n = 0; break
		:: n < 2 && w[0].held -> w[0].held = 0; n++
		:: n < 2 && !w[0].held -> w[0].held = 1; n++
		:: n < 2 && !w[0].kept -> w[0].kept = 1; n++
		:: n < 2 && !w[0].slot -> w[0].slot = 1; n++
		:: n < 2 -> w[0].val = 0; n++
		:: n < 2 -> w[0].val = 2; n++
		od
	:: me == 2 || me == 4
#else
	:: me == 0 -> slow(SEMOP(OP(-1), OP(-1)), 0); slow(SEMOP(OP(1), OP(1)), 0)
	:: me == 1 -> fast(0, -1); fast(0, 1)
	:: me == 2 -> fast(1, -1); fast(1, 1)
	:: me == 3 -> slow(SEMOP(OP(0), OP(1)), 1)
	:: me == 4
#endif
	fi;
	finished++
}

/* ---- the kernel ---- */

/* K1: fetch_or(HELD) of one word, and the judging of BUSY */
inline hold(i)
{
	if
	:: NAMES(c, i) ->
#ifdef MUTANT_DECIDES_BEFORE_HELD
		v[i] = w[i].val;
#endif
		d_step {
			w[i].held = 1;
#ifndef MUTANT_DECIDES_BEFORE_HELD
			v[i] = w[i].val;
#endif
			touched[i] = 1;
			busy = w[i].slot
		}
#ifndef MUTANT_BUSY_NOT_JUDGED
		/* no owner has it: bogus */
		if
		:: busy -> d_step { w[i].slot = 0; busy = 0 }
		:: else
		fi
#endif
	:: else
	fi
}

/* the operation of r on one word: value, KEPT */
inline store(r, i)
{
	if
	:: NAMES(r, i) ->
		d_step {
			w[i].val = (v[i] + SEM_OP(r, i) >= 0 -> v[i] + SEM_OP(r, i) : 0);
			w[i].kept = 0;
			ghost[i] = ghost[i] + SEM_OP(r, i);
			changed[i] = 1;
			CHECK(w[i].val == ghost[i])
		}
	:: else
	fi
}

inline reload(r, i)
{
	if
	:: NAMES(r, i) -> v[i] = w[i].val
	:: else
	fi
}

/* Which words the sleeping of r keeps HELD: all that it names. */
#ifdef MUTANT_ONLY_BLOCKER_NAMED
typedef names_t {
	bit on[WORDS];
};
names_t keeps[CLIENTS];
#define KEEPS(r, i)	(keeps[r].on[i])
#else
#define KEEPS(r, i)	(NAMES(r, i) > 0)
#endif

inline enqueue(r)
{
	d_step {
#ifdef MUTANT_ONLY_BLOCKER_NAMED
		keeps[r].on[0] = !GOES1(r, 0, v[0]);
		keeps[r].on[1] = !GOES1(r, 1, v[1]);
#endif
		queue[queued] = r;
		queued++;
		waiting[0] = waiting[0] + KEEPS(r, 0);
		waiting[1] = waiting[1] + KEEPS(r, 1);
		state[r] = ASLEEP
	}
}

/* take the k-th sleeper off the queue */
inline dequeue(k)
{
	d_step {
		r = queue[k];
		waiting[0] = waiting[0] - KEEPS(r, 0);
		waiting[1] = waiting[1] - KEEPS(r, 1);
		touched[0] = touched[0] || NAMES(r, 0);
		touched[1] = touched[1] || NAMES(r, 1);
		state[r] = DONE;
		r = k;
		do
		:: r + 1 < queued -> queue[r] = queue[r + 1]; r++
		:: else -> break
		od;
		queued--;
		queue[queued] = 0;
		r = 0
	}
}

/* K4 for one word */
inline release(i)
{
	if
	:: touched[i] ->
		d_step {
			if
#ifdef MUTANT_HELD_CLEARED_ALWAYS
			:: true -> w[i].held = 0
#else
			:: waiting[i] == 0 -> w[i].held = 0
			:: else
#endif
			fi;
			touched[i] = 0
		}
	:: else
	fi
}

proctype Kernel()
{
	byte c, k, r;
	byte v[WORDS];
	bit busy, touched[WORDS], changed[WORDS];

end:	do
	:: atomic {
		if
		:: state[0] == ASKED || state[0] == LEAVING -> c = 0
		:: state[1] == ASKED || state[1] == LEAVING -> c = 1
		:: state[2] == ASKED || state[2] == LEAVING -> c = 2
		:: state[3] == ASKED || state[3] == LEAVING -> c = 3
		:: state[4] == ASKED || state[4] == LEAVING -> c = 4
		fi
	   };
	   if
	   :: state[c] == LEAVING ->
		atomic {
			do
			:: queue[k] == c -> break
			:: else -> k++
			od;
			skip	/* no jump into a d_step */
		};
		dequeue(k);
		k = 0;
#ifdef MUTANT_LEAVER_KEEPS_HELD
		touched[0] = 0;
		touched[1] = 0
#endif
	   :: else ->
		hold(0);
#ifndef MUTANT_SECOND_WORD_NOT_HELD
		hold(1);
#else
		if
		:: NAMES(c, 1) -> v[1] = w[1].val
		:: else
		fi;
#endif
		if
		:: GOES(c, v[0], v[1]) ->
			store(c, 0);
			store(c, 1);
			state[c] = DONE
		:: else ->
			if
			:: NOWAIT -> state[c] = DONE
			:: else -> enqueue(c)
			fi
		fi;

		/* K3 */
#ifdef MUTANT_FIRST_COME_LAST
		k = (queued > 1);
#else
		k = 0;
#endif
		do
		:: k < queued ->
			if
			:: (NAMES(queue[k], 0) && changed[0]) ||
			   (NAMES(queue[k], 1) && changed[1]) ->
				reload(queue[k], 0);
				reload(queue[k], 1);
				if
				:: GOES(queue[k], v[0], v[1]) ->
					CHECK(k == 0 || !STUCK(queue[0]));
					CHECK(k <= 1 || !STUCK(queue[1]));
					CHECK(k <= 2 || !STUCK(queue[2]));
					store(queue[k], 0);
					store(queue[k], 1);
					dequeue(k);
#ifndef MUTANT_ONE_PASS
					k = 0
#endif
				:: else -> k++
				fi
			:: else -> k++
			fi
		:: else -> break
		od;
		k = 0;
		d_step { changed[0] = 0; changed[1] = 0; v[0] = 0; v[1] = 0 }
	   fi;

	   /* K4 */
	   release(0);
	   release(1);
	   c = 0
	od
}

init
{
	atomic {
#if defined(CHAIN)
#elif defined(HOSTILE)
		w[0].val = 1;
		w[1].val = 1;
#else
		w[0].val = 1;
		ghost[0] = 1;
		w[1].val = 1;
		ghost[1] = 1;
#endif
		run Kernel();
		run Client(0);
		run Client(1);
		run Client(2);
		run Client(3);
		run Client(4)
	};

	timeout;
#ifdef HOSTILE
	/* one more operation of the kernel, then the fast path is open */
	assert(finished == CLIENTS);
	byte me = 4;
	ask(SEMOP(OP(1), OP(1)));
	state[me] == DONE;
	timeout;
	assert(CLEAN(0) && CLEAN(1))
#else
	assert(finished + queued == CLIENTS);
	assert(!STUCK(0) && !STUCK(1) && !STUCK(2) && !STUCK(3) && !STUCK(4));
	assert(w[0].val == ghost[0] && w[1].val == ghost[1]);
	assert(w[0].held == (waiting[0] > 0) && w[1].held == (waiting[1] > 0));
	assert(!w[0].slot && !w[1].slot && !w[0].kept && !w[1].kept);
	over = 1
#endif
}
