/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The undo protocol of one semaphore, for sem_undo.pml and sem_cut.pml.
 *
 * Stands for: kipc_fast_semop() with SEM_UNDO in lib/fast_sem.c (proctype Thread, U1 to
 * U7); semop and semctl in kernel/sem_op.c and the helpers of kernel/sem_word.h
 * (proctype Kernel, K1 to K4); undo and its final value in kernel/sem_undo.c; the hook and
 * the drain of kernel/death.c; CUT: the cutting of mappings in kernel/sem_map.c.
 *
 * What is shared is touched one access a step; a read-modify-write is one step.  What
 * only the kernel touches goes with the step before: it is under set->lock.  The process
 * Kernel is whoever has that lock; which request it takes next is the order in which the
 * lock is got.  Without a request it is the worker that drains.
 *
 * Names: g_* are ghosts, what has to be; they change with the step at which an
 * operation takes place: the CAS, or the store of the value under HELD.
 *
 * Where the model departs from the protocol as it was first decided it says CHANGED,
 * where it asks for more than x86 is known to need, STRICTER.
 *
 * Left out: the range check of undo values, times, SETALL (SETVAL word by word), the
 * order among sleepers (sem_word.pml).
 */

/* processes, which are their tokens and their pids too */
#define A	1
#define B	2
#define C	3	/* without undo in user space: operations of the kernel */
#define S	4	/* SETVAL */
#define R	5	/* the parent of A */
#define PROCS	3	/* 1 to 2 can have undo */

/* intents */
#define FREE		0
#define PENDING		1
#define COMPUTED	2
#define OTHER		2	/* added: of an operation on another semaphore */

#define ELSEWHERE	99	/* an operation on another semaphore */

/* a request's life */
#define NONE	0
#define ASKED	1
#define ASLEEP	2
#define LEAVING	3	/* asleep, and killed */
#define DONE	4

/* requests */
#define SEMOP	0
#define UNDO	1	/* semop with SEM_UNDO */
#define SETVAL	2
#define SETTLE	3	/* the second half of a cut */
#define MAP	4	/* map again */

/* clients: threads and others that enter the kernel */
#define CLIENTS	9
#define WORKER	0

typedef word_t {
	byte val;
	bit held;
	bit kept;
	byte slot;
	byte token;
};

word_t w;			/* word[i] of the set */
byte drain;			/* page.state: 0, DRAIN or DRAINING */

/* per (process, set): the mappings 1 and 2 of A and B, 3 a later one of A */
short adjF[4];
short adjK[PROCS];
/* per process: intents by thread slot: 1 and 2 are A's, 3 is B's, 4 is 1 after exec */
byte intent[6];
short delta[6];

/* the kernel's */
byte kpid;			/* sem->pid */
bit dying[PROCS];		/* set->dying */
bit drained[PROCS];
byte sleepers;			/* sem->waiting */
bit on[PROCS];			/* adjF counts: mapped, neither settled nor drained */

/* requests */
byte state[CLIENTS], what[CLIENTS], who[CLIENTS];
short arg[CLIENTS];

/* the life of processes */
bit dead[PROCS], exited[PROCS];
byte live[PROCS];		/* threads */
bit nested;		/* a signal handler runs on the thread of slot 1 */
bit jumped;		/* it left by siglongjmp */
bit main_over;		/* the thread of slot 1 has ended */
bit over;		/* nothing moves any more */

/* ghosts */
byte g_val, g_pid;
short g_undo[PROCS];

#ifdef CUT
#define AWAY	0		/* the throw-away page */
#define REAL	1
#define EMPTY	2		/* no page: the next access faults */
byte pte[4];			/* by mapping */
bit stale[4];			/* another CPU may still have the old translation */
bit cut[4];			/* marked */
byte mapping[PROCS];		/* the kernel's present mapping of the process */
bit exec, execd;		/* A has called execve: its threads die */
#define MAPPING(p)	mapping[p]
#ifdef MUTANT_INTENTS_REUSED
#define IMAGE	0
#else
#define IMAGE	3		/* where the image after execve has its intents */
#endif
#define IPAGE(p)	(mapping[p] == 3 && exec -> IMAGE : 0)
#define KILLED		(dead[p] || (execd && m == 1))
#else
#define MAPPING(p)	p
#define IPAGE(p)	0
#define KILLED		dead[p]
#endif

#ifdef MUTANT_SEMAPHORE_NOT_COMPARED
#define INTENT(p, s)	(intent[(s) + IPAGE(p)] > OTHER -> \
			 intent[(s) + IPAGE(p)] - OTHER : intent[(s) + IPAGE(p)])
#else
#define INTENT(p, s)	intent[(s) + IPAGE(p)]
#endif
#define DELTA(p, s)	delta[(s) + IPAGE(p)]
#define MINE		intent[s + page]

#ifdef MUTANT_CELLS_REUSED
#define CELL(m)		((m) == 3 -> 1 : (m))
#else
#define CELL(m)		(m)
#endif

#define CLEAN		(!w.held && !w.kept && !w.slot)
#define SEMPID		(w.token && !w.kept -> w.token : kpid)
#define OWN_UNDO(p)	((on[p] -> adjF[CELL(MAPPING(p))] : 0) + adjK[p])

/* a bogus BUSY may name any slot: undo and pid of its victims are no longer promised */
#ifdef BOGUS_ANY
#define CHECK(x)	skip
#else
#define CHECK(x)	assert(x)
#endif
#if defined(BOGUS_ANY) || defined(BOGUS_IDLE)
#define CHECK_PID	skip
#else
#define CHECK_PID	assert(SEMPID == g_pid)
#endif

inline ask(c, k, p, n)
{
	d_step { what[c] = k; who[c] = p; arg[c] = n; state[c] = ASKED }
}

/* until the kernel has answered; who is killed does not sleep on */
inline answered(c, killed)
{
	do
	:: atomic { state[c] == ASLEEP && (killed) -> state[c] = LEAVING }
	:: atomic {
		state[c] == DONE || over ->
		d_step { state[c] = NONE; what[c] = 0; who[c] = 0; arg[c] = 0 };
		break
	   }
	od
}

/* ---- user space ---- */

/* One instruction of the thread: not while its handler runs, not after its death. */
#define STEP	(h || !nested || s != 1 || KILLED);		\
		if						\
		:: KILLED -> goto gone				\
		:: !KILLED && jumped && !h && s == 1 ->		\
			jumped = 0;				\
			goto next				\
		:: else						\
		fi

/* Where this access of the page lands. */
#ifdef CUT
#ifdef MUTANT_FAULT_UNLOCKED
#define FAULT	atomic {					\
			STEP;					\
			if					\
			:: pte[m] == EMPTY && !cut[m] -> mark = 1 \
			:: else					\
			fi					\
		};						\
		atomic {					\
			STEP;					\
			if					\
			:: mark -> mark = 0; pte[m] = REAL	\
			:: else					\
			fi					\
		};
#else
#define FAULT
#endif
#define TOUCH	if						\
		:: stale[m] -> real = 1				\
		:: pte[m] == REAL -> real = 1			\
		:: pte[m] == AWAY -> real = 0			\
		:: pte[m] == EMPTY && cut[m] -> pte[m] = AWAY; real = 0 \
		:: pte[m] == EMPTY && !cut[m] -> pte[m] = REAL; real = 1 \
		fi
#else
#define FAULT
#define TOUCH
#define real	1
#endif
#ifdef MUTANT_AWAY_CLEAN
#define AWAY_HELD	0
#else
#define AWAY_HELD	1
#endif

/*
 * TSO: a load may be done before older stores of the same thread are seen by others.
 * Between U3 and the next CAS, which are locked instructions, that can only concern
 * the loads of the next operation: U1, state and word.  Its load of the word, 8 bytes,
 * overlaps U6, a store of one byte, and waits for it on the processors known to us.
 * FORWARD: it does not; it takes the byte from U6 and the rest from memory.
 */
#ifdef TSO
#ifdef FORWARD
#define EARLY_SLOT(u6)	(u6 && w.slot)
#else
#define EARLY_SLOT(u6)	w.slot
#endif
#define EARLY(u6)						\
	do							\
	:: break						\
	:: n2 != 0 && early == 0 ->				\
		atomic { STEP; early_drain = drain; early = 1 }	\
	:: n2 != 0 && early == 1 ->				\
		atomic {					\
			STEP;					\
			if					\
			:: w.held || w.kept || EARLY_SLOT(u6) -> early = 3 \
			:: else -> val = w.val; token = w.token; early = 2 \
			fi					\
		}						\
	od;
#define DRAIN_SEEN	(early -> early_drain : drain)
#else
#define EARLY(u6)
#define DRAIN_SEEN	drain
#endif

/*
 * A thread of process p with slot s and client number me: operation n, then n2.
 * h: it is a signal handler on slot 1.  m: its mapping of the set.  page: where its
 * image has its intents.
 */
proctype Thread(byte me; byte p; byte s; bit h; byte m; byte page; short n; short n2)
{
	byte val, token;
	short f;
#ifdef CUT
	bit real, mark;
#endif
#ifdef TSO
	byte early;	/* of the next operation: 1 state loaded, 2 word too, 3 it had flags */
	byte early_drain;
#endif
#ifdef MUTANT_WHOLE_WORD_CLEARED
	byte snap;
#endif

	/* a handler begins at any instruction in user space */
	if
	:: h -> atomic {
		dead[p] || main_over || state[s] == NONE;
		if
		:: dead[p] || main_over -> goto gone
		:: else -> nested = 1
		fi
	   }
	:: else
	fi;
#ifdef CUT
	/* a new image, or the library after a cut, maps again */
	if
	:: m == 3 ->
		atomic {
			dead[p] || (exec && execd && live[p] == 1) ||
				(!exec && cut[1] && pte[1] != REAL && !stale[1]);
			if
			:: dead[p] -> goto gone
			:: else
			fi;
#ifdef MUTANT_INTENTS_REUSED
			intent[1] = FREE;
			intent[2] = FREE;
#endif
			ask(me, MAP, p, 0)
		};
		answered(me, 0)
	:: else
	fi;
#endif

again:
#ifdef OTHERS
	if
	:: n == ELSEWHERE -> goto elsewhere
	:: else
	fi;
#endif
	/* U1: state */
	FAULT
	atomic {
		STEP;
		TOUCH;
		if
		:: real && DRAIN_SEEN -> goto slow
#ifndef MUTANT_HANDLER_TAKES_SLOT
		:: MINE != FREE -> goto slow
#endif
		:: else
		fi
	};
	/* U1: word */
	FAULT
	atomic {
		STEP;
		TOUCH;
		if
#ifdef TSO
		:: early == 2
		:: early == 3 -> goto slow
		:: early < 2 &&
#else
		::
#endif
		   !real && AWAY_HELD -> goto slow
#ifdef TSO
		:: early < 2 &&
#else
		::
#endif
		   real && (!CLEAN || w.val + n < 0) -> goto slow
		:: else -> val = w.val; token = w.token
		fi;
#ifdef TSO
		early = 0;
		early_drain = 0
#endif
	};
#ifdef MUTANT_ABSOLUTE_INTENT
	atomic { STEP; f = adjF[CELL(m)] };
#endif
	/* U2 */
#ifndef MUTANT_INTENT_AFTER_CAS
	atomic { STEP; MINE = PENDING; delta[s + page] = f - n };
#endif
	/* U3 */
	FAULT
	atomic {
		STEP;
		TOUCH;
		if
		:: !real ->
			if
			:: AWAY_HELD -> goto lost
			:: else ->
				g_val = g_val + n;
				g_undo[p] = g_undo[p] - n
			fi
		:: real && CLEAN && w.val == val && w.token == token ->
			w.val = val + n;
			w.slot = s;
			w.token = p;
			g_val = val + n;
			g_undo[p] = g_undo[p] - n;
			g_pid = p
		:: else -> goto lost
		fi;
#ifdef MUTANT_WHOLE_WORD_CLEARED
		snap = val + n;
#endif
		val = 0;
		token = 0
	};
#ifdef MUTANT_INTENT_AFTER_CAS
	atomic { STEP; MINE = PENDING; delta[s + page] = -n };
#endif
	/* U4 */
#ifdef MUTANT_ABSOLUTE_INTENT
	f = f - n;
#else
	atomic { STEP; f = adjF[CELL(m)] - n };
#ifndef MUTANT_NOT_COMPUTED
	EARLY(0)
	atomic { STEP; MINE = COMPUTED; delta[s + page] = f };
#endif
#endif
	/* U5 */
	EARLY(0)
	atomic { STEP; adjF[CELL(m)] = f; f = 0 };
#ifdef MUTANT_INTENT_CLEARED_FIRST
	atomic { STEP; MINE = FREE; delta[s + page] = 0 };
#endif
	/* U6 */
	EARLY(0)
	FAULT
	atomic {
		STEP;
		TOUCH;
		if
		:: real ->
#ifdef MUTANT_WHOLE_WORD_CLEARED
			w.val = snap;
			w.held = 0;
			w.kept = 0;
			w.token = p;
			snap = 0;
#endif
			w.slot = 0
		:: else
		fi
	};
	/* U7 */
#ifndef MUTANT_INTENT_CLEARED_FIRST
	EARLY(1)
	atomic { STEP; MINE = FREE; delta[s + page] = 0 };
#endif
	EARLY(1)
	goto next;

#ifdef OTHERS
elsewhere:
	/* the same with another word: only the intents concern this one */
#ifndef MUTANT_HANDLER_TAKES_SLOT
	atomic {
		STEP;
		if
		:: MINE != FREE -> goto next
		:: else
		fi
	};
#endif
	atomic { STEP; MINE = PENDING + OTHER; delta[s + page] = -2 };
	atomic { STEP; MINE = COMPUTED + OTHER; delta[s + page] = 7 };
	atomic { STEP; MINE = FREE; delta[s + page] = 0 };
	goto next;
#endif

lost:	/* another was faster */
	atomic { STEP; MINE = FREE; delta[s + page] = 0; val = 0; token = 0; f = 0 };
	goto again;

slow:	/* the rest is the kernel's */
	atomic { STEP; ask(me, UNDO, p, n) };
	answered(me, KILLED);
#ifdef TSO
	early = 0;
	early_drain = 0;
#endif

next:	atomic {
		n = n2;
		n2 = 0;
		f = 0;
#ifdef TSO
		if
		:: !early -> val = 0; token = 0
		:: else
		fi;
#else
		val = 0;
		token = 0;
#endif
		if
		:: n != 0 -> goto again
		:: else
		fi
	};

gone:	atomic {
		val = 0;
		token = 0;
		f = 0;
		n = 0;
		n2 = 0;
#ifdef TSO
		early = 0;
		early_drain = 0;
#endif
#ifdef CUT
		mark = 0;
		real = 0;
#endif
		live[p]--;
		if
		:: h ->
#ifdef LONGJMP
			jumped = nested && !dead[p] && !main_over;
#endif
			nested = 0
		:: !h && s == 1 && m == 1 -> main_over = 1
		:: else
		fi
	}
}

/* ---- the kernel ---- */

/* sem->pid = p for an operation that succeeded; busy: K1 has seen BUSY */
inline stamp(p)
{
	g_pid = p;
	kpid = p;
	if
#ifdef MUTANT_TOKEN_CLEARED_UNDER_BUSY
	:: true -> w.token = 0; w.kept = 0
#else
	:: busy -> w.kept = 1
	:: else -> w.token = 0; w.kept = 0
#endif
	fi
}

/* fetch_or(HELD) */
inline hold()
{
	d_step {
		w.held = 1;
		busy = w.slot;
		owner = w.token;
		CHECK(w.val == g_val);
		CHECK_PID
	}
}

/* the process of a token, if it can be in the middle of an operation with that slot */
#ifdef MUTANT_DEAD_HAVE_NO_BUSY
#define IS_DEAD(p)	dying[p]
#else
#define IS_DEAD(p)	0
#endif
#ifdef MUTANT_CUT_HAVE_NO_BUSY
#define IS_CUT(p)	cut[mapping[p]]
#else
#define IS_CUT(p)	0
#endif
#define HAS_SLOT(p, s)	(((p == A && s <= 2) || (p == B && s == 3)) && \
			 on[p] && !IS_DEAD(p) && !IS_CUT(p))

/* Is BUSY bogus?  It is cleared then.  After: busy is 0, or an owner's. */
inline judge()
{
	if
	:: busy ->
		if
		:: HAS_SLOT(owner, busy) ->
			intended = INTENT(owner, busy)
		:: else -> intended = FREE
		fi;
		if
		:: intended != PENDING && intended != COMPUTED ->
#ifndef MUTANT_BOGUS_KEPT
			d_step {
				if
				:: w.slot == busy && w.token == owner -> w.slot = 0
				:: else
				fi;
				busy = 0;
				owner = 0
			}
#else
			skip
#endif
		:: else
		fi;
		intended = FREE
	:: else -> owner = 0
	fi
}

/*
 * f: what adjF of p is, or will be once the operation under way is over; HELD.
 *
 * STRICTER: an intent that has not changed counts only if the word is still BUSY.
 * Otherwise the thread may be through and have begun the next, same, operation
 * with a load of the word from before HELD (see FORWARD above).
 */
inline final(p)
{
	if
	:: busy && owner == p ->
		slot = busy;
#ifdef MUTANT_SLOT_NOT_NAMED
		d_step {
			if
			:: p == A && intent[1] != FREE -> slot = 1
			:: p == A && intent[1] == FREE && intent[2] != FREE -> slot = 2
			:: else
			fi
		};
#endif
		d_step { intended = INTENT(p, slot); by = DELTA(p, slot) };
		if
#ifdef MUTANT_ABSOLUTE_INTENT
		:: intended == PENDING -> f = by
#else
		:: intended == PENDING ->
			f = adjF[CELL(MAPPING(p))];
#ifdef MUTANT_INTENT_NOT_RELOADED
			f = f + by;
#else
			if
			:: atomic { INTENT(p, slot) == PENDING && DELTA(p, slot) == by -> f = f + by };
#if !defined(MUTANT_WORD_NOT_RELOADED) && !defined(FINAL_AS_DECIDED)
				if
				:: w.slot != busy -> f = adjF[CELL(MAPPING(p))]
				:: else
				fi
#endif
			:: atomic { INTENT(p, slot) == COMPUTED -> f = DELTA(p, slot) }
			:: else -> f = adjF[CELL(MAPPING(p))]
			fi
#endif
#endif
		:: intended == COMPUTED -> f = by
		:: else -> f = adjF[CELL(MAPPING(p))]
		fi;
		d_step { intended = FREE; by = 0; slot = 0 }
	:: else -> f = adjF[CELL(MAPPING(p))]
	fi
}

/* the undo value of p becomes 0: the kernel's part against that of user space */
inline forget(p)
{
	if
#ifdef MUTANT_SETVAL_FORGETS_DEAD
	:: on[p] && !dying[p] ->
#else
	:: on[p] ->
#endif
#ifdef MUTANT_SETVAL_IGNORES_BUSY
		f = adjF[CELL(MAPPING(p))];
#else
		final(p);
#endif
		d_step { adjK[p] = -f; f = 0 }
	:: else -> adjK[p] = 0
	fi
}

/* DEATH: the undo of p, which no longer moves */
inline apply(p)
{
	hold();
	d_step {
		assert(!drained[p]);
		if
		:: busy && owner == p ->
#ifdef MUTANT_SLOT_NOT_NAMED
			if
			:: p == A && intent[1] != FREE -> busy = 1
			:: p == A && intent[1] == FREE && intent[2] != FREE -> busy = 2
			:: else
			fi;
#endif
			if
			:: on[p] && INTENT(p, busy) == PENDING ->
#ifdef MUTANT_ABSOLUTE_INTENT
				adjF[CELL(MAPPING(p))] = DELTA(p, busy)
#else
				adjF[CELL(MAPPING(p))] = adjF[CELL(MAPPING(p))] + DELTA(p, busy)
#endif
			:: on[p] && INTENT(p, busy) == COMPUTED ->
				adjF[CELL(MAPPING(p))] = DELTA(p, busy)
			:: else
			fi;
			w.slot = 0;
			busy = 0
		:: else
		fi;
		f = OWN_UNDO(p);
		CHECK(f == g_undo[p]);
		g_val = (g_val + f >= 0 -> g_val + f : 0);
		w.val = (w.val + f >= 0 -> w.val + f : 0);
		if
#ifdef MUTANT_DRAIN_KEEPS_TOKEN
		:: f != 0 -> g_pid = p; kpid = p
#else
		:: f != 0 -> stamp(p)
#endif
		:: else
		fi;
		if
		:: w.token == p ->
			if
#ifdef MUTANT_DRAIN_IGNORES_KEPT
			:: true -> kpid = p
#else
			:: !w.kept -> kpid = p
			:: else
#endif
			fi;
			w.token = 0;
			w.kept = 0
		:: else
		fi;
		drained[p] = 1;
		on[p] = 0;
		adjF[CELL(MAPPING(p))] = 0;
		adjK[p] = 0;
		g_undo[p] = 0;
		f = 0
	};
	wake();
	release()
}

/* the second half of CUT: adjF of p goes over into adjK */
inline settle(p)
{
	if
	:: on[p] ->
		hold();
#ifdef MUTANT_SETTLE_IGNORES_BUSY
		f = adjF[CELL(MAPPING(p))];
#else
		final(p);
#endif
		d_step {
			if
			:: busy && owner == p -> w.slot = 0
			:: else
			fi;
			if
			:: w.token == p ->
				if
#ifdef MUTANT_DRAIN_IGNORES_KEPT
				:: true -> kpid = p
#else
				:: !w.kept -> kpid = p
				:: else
#endif
				fi;
				w.token = 0;
				w.kept = 0
			:: else
			fi;
			adjK[p] = adjK[p] + f;
#ifndef MUTANT_SETTLED_STILL_COUNTS
			on[p] = 0;
#endif
			f = 0;
			busy = 0;
			owner = 0
		};
		release()
	:: else
	fi
}

/* an operation of client r that can be done, under HELD */
inline carry_out(r)
{
	d_step {
		w.val = w.val + arg[r];
		g_val = g_val + arg[r];
		CHECK(w.val == g_val);
		if
		:: what[r] == UNDO ->
#ifdef MUTANT_KERNEL_BOOKS_IN_ADJF
			adjF[CELL(MAPPING(who[r]))] = adjF[CELL(MAPPING(who[r]))] - arg[r];
#else
			adjK[who[r]] = adjK[who[r]] - arg[r];
#endif
			g_undo[who[r]] = g_undo[who[r]] - arg[r]
		:: else
		fi;
#ifdef MUTANT_KERNEL_STORES_WORD
		w.slot = busy;
#endif
		stamp(who[r])
	};
	/* the parent of a dead process acts after its undo */
	CHECK(who[r] != R || drained[A]);
	state[r] = DONE
}

/* K3; one word: the order among sleepers is sem_word.pml's */
inline wake()
{
	r = 1;
	do
	:: r < CLIENTS ->
		if
		:: (state[r] == ASLEEP || state[r] == LEAVING) && w.val + arg[r] >= 0 ->
			carry_out(r);
			sleepers--;
			r = 1
		:: else -> r++
		fi
	:: else -> break
	od;
	r = 0
}

/* K4 */
inline release()
{
	d_step {
		if
		:: sleepers == 0 -> w.held = 0
		:: else
		fi;
		busy = 0;
		owner = 0
	}
}

/*
 * K0
 *
 * CHANGED: page.state says DRAIN, once the hook has pushed, and DRAINING, while the
 * kernel drains; only DRAINING is taken back, by compare and swap.  As it was decided
 * first (MUTANT_DRAIN_IS_A_FLAG: the kernel clears the flag with the list empty and
 * looks at the list again) a death between the look and the clearing has its flag
 * cleared with its undo not applied, until the second look.
 */
#define DRAIN		1
#define DRAINING	2

inline drain_all()
{
#ifdef MUTANT_DRAIN_IS_A_FLAG
	do
	:: atomic { dying[A] -> dying[A] = 0 } apply(A)
	:: atomic { dying[B] -> dying[B] = 0 } apply(B)
	:: !dying[A] && !dying[B] ->
		if
		:: drain -> drain = 0
		:: else -> break
		fi
	od
#else
	if
	:: drain || dying[A] || dying[B] ->
		drain = DRAINING;
		do
		:: atomic { dying[A] -> dying[A] = 0 } apply(A)
		:: atomic { dying[B] -> dying[B] = 0 } apply(B)
		:: !dying[A] && !dying[B] -> break
		od;
#ifdef MUTANT_DRAINING_CLEARED_PLAINLY
		drain = 0
#else
		atomic {
			if
			:: drain == DRAINING -> drain = 0
			:: else
			fi
		}
#endif
	:: else
	fi
#endif
}

proctype Kernel()
{
	byte c, r, busy, owner, intended, slot;
	short f, by;

end:	do
	:: atomic {
		if
		:: state[1] == ASKED || state[1] == LEAVING -> c = 1
		:: state[2] == ASKED || state[2] == LEAVING -> c = 2
		:: state[3] == ASKED || state[3] == LEAVING -> c = 3
		:: state[4] == ASKED || state[4] == LEAVING -> c = 4
		:: state[5] == ASKED || state[5] == LEAVING -> c = 5
		:: state[6] == ASKED || state[6] == LEAVING -> c = 6
		:: state[7] == ASKED || state[7] == LEAVING -> c = 7
		:: state[8] == ASKED || state[8] == LEAVING -> c = 8
		:: dying[A] || dying[B] -> c = WORKER
		fi
	   };
#ifdef MUTANT_KERNEL_DOES_NOT_DRAIN
	   if
	   :: c == WORKER -> drain_all()
	   :: else
	   fi;
#else
	   drain_all();
#endif
	   if
	   :: c == WORKER
	   :: c != WORKER && state[c] == DONE	/* it slept, and K0 let it go */
	   :: c != WORKER && state[c] == LEAVING ->
		d_step { state[c] = DONE; sleepers-- };
		release()
	   :: c != WORKER && state[c] == ASKED ->
		if
#ifdef CUT
		:: what[c] == SETTLE ->
			/* unless mapping again has done it */
			if
			:: MAPPING(who[c]) == arg[c] -> settle(who[c])
			:: else
			fi;
			state[c] = DONE
		:: what[c] == MAP ->
#ifndef MUTANT_MAP_DOES_NOT_SETTLE
			settle(who[c]);
#endif
			d_step {
				mapping[who[c]] = 3;
				adjF[CELL(3)] = 0;
				on[who[c]] = 1;
				state[c] = DONE
			}
#endif
		:: else ->
#ifdef MUTANT_JUDGED_WITHOUT_HELD
			d_step { busy = w.slot; owner = w.token };
			judge();
#endif
			hold();
#ifndef MUTANT_JUDGED_WITHOUT_HELD
			judge();
#endif
			if
			:: what[c] == SETVAL ->
				forget(A);
				forget(B);
				d_step {
					w.val = arg[c];
					g_val = arg[c];
					g_undo[A] = 0;
					g_undo[B] = 0;
					stamp(who[c])
				};
				state[c] = DONE
			:: what[c] != SETVAL && w.val + arg[c] >= 0 -> carry_out(c)
			:: else -> d_step { state[c] = ASLEEP; sleepers++ }
			fi;
			wake();
			release()
		fi
	   fi;
	   c = 0
	od
}

/* ---- the rest of the world ---- */

/* p is killed at any instruction; the hook; then wait() of the parent returns */
proctype Killer(byte p)
{
	if
	:: dead[p] = 1
	:: skip
	fi;
	if
	:: dead[p] ->
		live[p] == 0;
#ifdef MUTANT_WAIT_BEFORE_HOOK
		exited[p] = 1;
#endif
#ifdef MUTANT_DRAIN_BEFORE_PUSH
		drain = DRAIN;
		dying[p] = 1;
#else
		dying[p] = 1;
		drain = DRAIN;
#endif
		exited[p] = 1
	:: else
	fi
}

/* somebody who enters the kernel */
proctype Caller(byte me; byte k; byte p; short n)
{
	ask(me, k, p, n);
	answered(me, 0)
}

/* after the death of A: a plain operation of its parent */
proctype Parent(byte me)
{
	byte val, token;

	exited[A] || over;
	do
	:: over -> break
	:: else ->
		if
		:: drain -> ask(me, SEMOP, R, 1); answered(me, 0); break
		:: else
		fi;
		atomic {
			if
			:: !CLEAN -> ask(me, SEMOP, R, 1); answered(me, 0); break
			:: else -> val = w.val; token = w.token
			fi
		};
		atomic {
			if
			:: CLEAN && w.val == val && w.token == token ->
				CHECK(drained[A] && w.val == g_val);
				w.val = val + 1;
				w.token = R;
				g_val = val + 1;
				g_pid = R;
				break
			:: else
			fi
		}
	od;
	val = 0;
	token = 0
}

/* ---- once nothing moves any more ---- */

#define NOT_STUCK(c)	(state[c] == NONE || (state[c] == ASLEEP && w.val + arg[c] < 0))

inline check_undo(p)
{
	if
	:: dead[p] -> assert(exited[p] && drained[p])
#ifdef LONGJMP
	/* an abandoned operation gets into adjF no sooner than at death */
	:: else
#else
	:: else -> CHECK(OWN_UNDO(p) == g_undo[p])
#endif
	fi
}

inline check_all()
{
	assert(NOT_STUCK(1) && NOT_STUCK(2) && NOT_STUCK(3) && NOT_STUCK(4) &&
	       NOT_STUCK(5) && NOT_STUCK(6) && NOT_STUCK(7) && NOT_STUCK(8));
	/* DRAIN may be left with nothing to drain: whoever enters next takes it back. */
	assert(!dying[A] && !dying[B] && drain != DRAINING);
	check_undo(A);
	check_undo(B);
	CHECK(w.val == g_val);
	CHECK_PID;
#ifndef LONGJMP
	assert(w.slot == 0);
	assert(dead[B] || intent[3] == FREE);
#ifndef EXEC
	assert(dead[A] || (intent[1] == FREE && intent[2] == FREE));
#endif
#endif
	assert(w.held == (sleepers > 0))
}
