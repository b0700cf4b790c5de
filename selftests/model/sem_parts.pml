/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is done to a set in parts, the lock given back in between: the undo of several
 * deaths, a semaphore at a time, and the look at sleepers after SETALL; while operations,
 * SETVAL, SETALL, GETALL and removal go on.
 *
 * Stands for, in kernel/sem_undo.c: kipc_sem_undo_mark() (die), kipc_sem_undo_collect_locked()
 * (collect), kipc_sem_undo_adjust_locked() (adjust_), kipc_sem_undo_apply_some_locked(),
 * kipc_sem_catch_up_some_locked() (apply_some, some), kipc_sem_catch_up_to_locked(),
 * kipc_sem_catch_up_one_locked(), kipc_sem_catch_up_whole_locked() (hold),
 * kipc_sem_adjust_one_locked() (adjust_one), kipc_sem_undo_drain() (Worker); semop of
 * sem_op.c and its settling, SETVAL, SETALL and GETALL of sem_ctl.c, kipc_sem_ended() of
 * sem.c (act).
 *
 * What is done in one hold of the lock is one step, with one semaphore in the place of 256.
 * What stands beside it is native: there a death is one step, its sleepers included.  It
 * comes about when somebody is first shown a part of it, or acts who began after it; the
 * deaths before it come before.
 *
 * CHANGED: who looks at several semaphores counts himself in set->whole until he is
 * through.  Meanwhile who looks at one does as while set->complex: he does not apply
 * the part of a death that is his.  As it was (MUTANT_PARTS_WHILE_WHOLE), of a death that
 * is later than the look at several one semaphore had been seen by others with its undo,
 * and the look found it there and not at the next.  And who has waited as one of these
 * applies to his semaphore what others were shown of elsewhere (set->shown).
 *
 * Bounds: two semaphores; two deaths or three, with undo values of 2 at most; up to four
 * calls, one each; one time after its own part that a call gives way to the rest.
 *
 *   ORDER	two deaths, whose order matters, for values do not go below 0; two sleepers
 *   THREE	three deaths; an operation on both semaphores, which may sleep
 *   TOGETHER	operations on both sleep, one of them until one semaphore is zero
 *   SET_ONE	SETVAL; an operation with undo, whose process dies; one on both
 *   SET_ALL	SETALL; an operation with undo before it or after, whose process dies
 *   GET_ALL	three deaths, GETALL twice
 *   USER	two deaths; GETALL; operations in user space on the one, then the other
 *   REMOVE	IPC_RMID, sleepers of each kind
 *
 * Checked: whoever has the lock for a semaphore meets its native value, and its sleepers
 * sleep who do natively; for several, of all of these at once; each is carried out, or goes
 * to sleep, as natively; who died before a call began has been undone in it, also in user
 * space; once nothing moves all values are native, and undo values of the living; nothing is
 * applied of what the worker has freed.
 *
 * MUTANT_*: a deliberate fault, which must fail an assertion; scripts/check-model has the
 * list.
 */
#define SEMS	2
#define ALL	((1 << SEMS) - 1)
#define PROCS	3
#define CLIENTS	4
#define LEFT	1	/* times a call gives way once its own part is done */
#define MAX	4	/* SEMVMX */

#define NOT	9	/* in an operation: not named */

/* page.state */
#define DRAIN		1
#define DRAINING	2

/* a call */
#define NONE	0
#define ASLEEP	1
#define WENT	2
#define EIDRM	3

#define OP	0
#define UNDO	1	/* with SEM_UNDO; its process dies then; does not sleep */
#define SETVAL	2
#define SETALL	3
#define GETALL	4
#define RMID	5

/* the set */
short val[SEMS];
byte forgets;
byte unsettled;		/* sleepers of the first so many have not been looked at */
byte complex;		/* operations on both that sleep */
byte whole;		/* who looks at both */
bit removed;		/* it has left the tables */
bit ended;		/* all have been told */
byte state;		/* page.state, of a set that is mapped: in USER */

/* undo values by process and semaphore */
short adjust[PROCS * SEMS];
byte gen[PROCS];		/* undo->forgets */
bit gone[PROCS];		/* undo->set is NULL */
bit freed[PROCS];
bit exited[PROCS];		/* wait() of its parent returns */

/*
 * Deaths in their order, and the place of each.  Those up to ncol have been collected, those
 * up to head are over, the one there is up to applied; others were shown some up to shown.
 */
byte list[PROCS], npush, place[PROCS];
byte dead[PROCS], ncol, head, applied, shown;

/* calls: operations, which semaphores they name, what became of them; who slept, in order */
short op[CLIENTS * SEMS];
byte mask[CLIENTS], st[CLIENTS], order[CLIENTS], queued;

/* native */
short g_val[SEMS], g_adjust[PROCS * SEMS];
byte g_st[CLIENTS], g_head;

/* within a step */
hidden byte i, c, k, s, p, d0, gi, gc, gs, gd;
hidden short a;
hidden byte goes, direct;

#define GOES1(o, v)	((o) == NOT || ((o) == 0 && (v) == 0) || (o) > 0 || \
			 ((o) < 0 && (v) + (o) >= 0))
#define PART(o)		((o) == NOT -> 0 : (o))
#define CLAMP(v)	((v) < 0 -> 0 : ((v) > MAX -> MAX : (v)))
#define GOES(c, v)	(GOES1(op[(c) * SEMS], v[0]) && GOES1(op[(c) * SEMS + 1], v[1]))
#define NAMES(c, s)	((mask[c] >> (s)) & 1)
#define ONLY(c)		(mask[c] >> 1)	/* the one it names */
#define SEVERAL(c)	(mask[c] & (mask[c] - 1))
#define HAS_VALUES(p)	(gen[p] == forgets)

#define OPERATE(c, v)	v[0] = v[0] + PART(op[(c) * SEMS]); \
			v[1] = v[1] + PART(op[(c) * SEMS + 1])

/* ---- native ---- */

inline g_settle()
{
	gi = 0;
	do
	:: gi < queued ->
		gc = order[gi];
		if
		:: g_st[gc] == ASLEEP && GOES(gc, g_val) ->
			OPERATE(gc, g_val);
			g_st[gc] = WENT;
			gi = 0
		:: else -> gi++
		fi
	:: else -> break
	od
}

/* deaths, each at once */
inline g_until(n)
{
	do
	:: g_head < (n) ->
		gd = list[g_head];
		gs = 0;
		do
		:: gs < SEMS ->
			g_val[gs] = CLAMP(g_val[gs] + g_adjust[gd * SEMS + gs]);
			g_adjust[gd * SEMS + gs] = 0;
			gs++
		:: else -> break
		od;
		g_head++;
		g_settle()
	:: else -> break
	od
}

/* these semaphores, and who names one of them, are as natively */
inline same(m)
{
	gs = 0;
	do
	:: gs < SEMS ->
		assert(!(((m) >> gs) & 1) || val[gs] == g_val[gs]);
		gs++
	:: else -> break
	od;
	gc = 0;
	do
	:: gc < CLIENTS ->
		assert(!(mask[gc] & (m)) || st[gc] == g_st[gc]);
		gc++
	:: else -> break
	od
}

/* ---- the kernel, under the set's lock ---- */

/* who sleeps, names one of these and can go does, first come first */
inline settle(m)
{
	i = 0;
	do
	:: i < queued ->
		c = order[i];
		if
		:: st[c] == ASLEEP && (mask[c] & (m)) && GOES(c, val) ->
			OPERATE(c, val);
			st[c] = WENT;
			if
			:: SEVERAL(c) -> complex--
			:: else
			fi;
			i = 0
		:: else -> i++
		fi
	:: else -> break
	od
}

inline settle_some()
{
	if
	:: complex -> unsettled = 0; settle(ALL)
	:: else -> unsettled--; settle(1 << unsettled)
	fi
}

/* user space may go on once nothing is left to be applied */
inline collected()
{
	if
#ifdef MUTANT_DRAINING_DROPPED
	:: state == DRAINING -> state = 0
#else
	:: state == DRAINING && head == ncol -> state = 0
#endif
	:: else
	fi
}

/* K0 */
inline collect()
{
#ifdef USER
	state = DRAINING;
#endif
#ifdef MUTANT_DEATHS_REVERSED
	k = npush;
	do
	:: ncol < npush -> k--; dead[ncol] = list[k]; ncol++
	:: else -> break
	od;
#else
	do
	:: ncol < npush -> dead[ncol] = list[ncol]; ncol++
	:: else -> break
	od;
#endif
	collected()
}

/* once: it is 0 then */
inline adjust_(p, s)
{
	assert(!freed[p] && !gone[p]);
	a = adjust[(p) * SEMS + (s)];
#ifndef MUTANT_ADJUSTED_KEPT
	adjust[(p) * SEMS + (s)] = 0;
#endif
	if
	:: a != 0 ->
		g_until(place[p] + 1);
		val[s] = CLAMP(val[s] + a);
		if
		:: complex ->
#ifdef MUTANT_SETTLED_IN_PARTS
			settle(ALL)
#else
			unsettled = SEMS
#endif
		:: else -> settle(1 << (s))
		fi
	:: else
	fi
}

/* the next few of who died first */
inline apply_some()
{
	d0 = dead[head];
	if
#ifdef MUTANT_GENERATION_IGNORED
	:: true ->
#else
	:: HAS_VALUES(d0) ->
#endif
		adjust_(d0, applied); applied++
	:: else -> applied = SEMS
	fi;
	if
	:: applied == SEMS ->
		if
		:: complex -> unsettled = SEMS
		:: else
		fi;
		gone[d0] = 1;
		applied = 0;
		head++;
		collected()
	:: else
	fi
}

#define HALF		(head < ncol && applied)
#define DUE(n)		(head < ncol && head < (n))
#ifdef MUTANT_HALF_SEEN
#define UNFINISHED	unsettled
#else
#define UNFINISHED	(unsettled || HALF)
#endif

inline some()
{
	if
	:: unsettled && !(complex && HALF) -> settle_some()
	:: else -> apply_some()
	fi
}

/* what those up to the n-th do to one semaphore */
inline adjust_one(s, n)
{
	p = head;
	do
	:: p < (n) ->
		if
		:: HAS_VALUES(dead[p]) -> adjust_(dead[p], s)
		:: else
		fi;
		p++
	:: else -> break
	od
}

/* an operation, its undo value booked for process u - 1 */
inline do_op(me, u)
{
	goes = GOES(me, val);
	assert(goes == GOES(me, g_val));
	if
	:: goes ->
		OPERATE(me, val);
		st[me] = WENT;
		if
		:: complex -> settle(ALL)
		:: else -> settle(mask[me])
		fi;
		OPERATE(me, g_val);
		g_st[me] = WENT;
		if
		:: u ->
			k = 0;
			do
			:: k < SEMS ->
#ifndef MUTANT_NOT_RENEWED
				if
				:: !HAS_VALUES(u - 1) -> adjust[(u - 1) * SEMS + k] = 0
				:: else
				fi;
#endif
				adjust[(u - 1) * SEMS + k] = adjust[(u - 1) * SEMS + k] -
					PART(op[me * SEMS + k]);
				g_adjust[(u - 1) * SEMS + k] = g_adjust[(u - 1) * SEMS + k] -
					PART(op[me * SEMS + k]);
				k++
			:: else -> break
			od;
			gen[u - 1] = forgets
		:: else
		fi;
		g_settle()
	:: !goes && u
	:: !goes && !u ->
		st[me] = ASLEEP;
		g_st[me] = ASLEEP;
		order[queued] = me;
		queued++;
		if
		:: SEVERAL(me) -> complex++
		:: else
		fi
	fi
}

inline do_setval(me, n)
{
	s = ONLY(me);
	val[s] = n;
	g_val[s] = n;
	k = 0;
	do
	:: k < PROCS ->
#ifdef MUTANT_SETVAL_KEEPS_DEAD
		if
		:: place[k] < ncol && place[k] >= head && npush > place[k] && list[place[k]] == k
		:: else ->
#endif
		adjust[k * SEMS + s] = 0;
#ifdef MUTANT_SETVAL_KEEPS_DEAD
		fi;
#endif
		g_adjust[k * SEMS + s] = 0;
		k++
	:: else -> break
	od;
	if
	:: complex -> settle(ALL)
	:: else -> settle(1 << s)
	fi;
	g_settle()
}

inline do_setall(n)
{
	k = 0;
	do
	:: k < SEMS -> val[k] = n; g_val[k] = n; k++
	:: else -> break
	od;
#ifndef MUTANT_SETALL_REMEMBERS
	forgets++;
#endif
	k = 0;
	do
	:: k < PROCS * SEMS -> g_adjust[k] = 0; k++
	:: else -> break
	od;
	g_settle();
	if
	:: complex -> settle(ALL)
	:: else -> unsettled = SEMS
	fi
}

inline do_rmid()
{
	k = 0;
	do
	:: k < CLIENTS ->
		if
		:: st[k] == ASLEEP -> st[k] = EIDRM; g_st[k] = EIDRM
		:: else
		fi;
		k++
	:: else -> break
	od;
	k = 0;
	do
	:: k < PROCS -> gone[k] = 1; k++
	:: else -> break
	od;
	collect();
	head = ncol;
	applied = 0;
	ended = 1
}

/* what a call is there for, the lock held and all caught up */
inline act()
{
	if
	:: removed && kind != RMID ->
		if
		:: kind <= UNDO -> st[me] = EIDRM; g_st[me] = EIDRM
		:: else
		fi;
		kind = GETALL
	:: else ->
		if
		:: direct -> shown = ncol
		:: else
		fi;
		if
#ifdef MUTANT_SHOWN_NOT_SEEN
		:: direct -> adjust_one(ONLY(me), ncol)
#else
		:: !SEVERAL(me) && mask[me] -> adjust_one(ONLY(me), shown)
#endif
		:: else
		fi;
		g_until(seen);
		same(mask[me]);
		if
		:: kind == OP -> do_op(me, 0)
		:: kind == UNDO -> do_op(me, u)
		:: kind == SETVAL -> do_setval(me, n)
		:: kind == SETALL -> do_setall(n)
		:: kind == RMID -> do_rmid()
		:: else
		fi
	fi;
#ifndef MUTANT_PARTS_WHILE_WHOLE
	if
	:: counted -> whole--; counted = 0
	:: else
	fi;
#endif
	if
	:: kind == SETALL && unsettled ->
		/* once more, for the sleepers */
		kind = GETALL;
		mask[me] = 0;
		collect();
		last = ncol;
		left = LEFT
	:: else ->
		through = 1;
		kind = 0;
		n = 0;
		seen = 0;
		last = 0;
		left = 0
	fi
}

/* one hold of the lock */
inline hold()
{
	direct = 0;
	if
	:: !begun ->
		begun = 1;
		seen = npush;
		if
		:: removed && kind != RMID -> direct = 1
		:: else ->
			collect();
			last = ncol;
			left = LEFT;
			if
			:: !complex && !whole && !SEVERAL(me) ->
#ifndef MUTANT_UNSETTLED_PASSED
				if
				:: ONLY(me) < unsettled -> settle(mask[me])
				:: else
				fi;
#endif
				direct = 1
#ifndef MUTANT_PARTS_WHILE_WHOLE
			:: SEVERAL(me) -> whole++; counted = 1
#endif
			:: else
			fi
		fi
	:: else
	fi;
#ifdef MUTANT_REMOVAL_OVERTAKES
	direct = direct || kind == RMID;
#endif
	do
	:: !direct && DUE(last) -> some(); break
	:: !direct && !DUE(last) && UNFINISHED ->
		some();
		if
		:: left -> left--; break
		:: else
		fi
	:: else -> act(); break
	od
}

/* the hook, once no thread is left */
inline die(who)
{
	if
	:: !ended -> list[npush] = who; place[who] = npush; npush++
	:: else
	fi
}

/*
 * A call me of some kind; n: what SETVAL and SETALL set; u: with UNDO, one more than the
 * process.
 */
proctype Call(byte me; byte kind; byte n; byte u)
{
	byte seen, last, left;
	bit begun, through, counted;

	if
	:: kind == RMID -> removed = 1
	:: else
	fi;
	do
	:: !through -> d_step { hold(); k = 0 }
	:: else -> break
	od;
	if
	:: u -> d_step { die(u - 1); u = 0 }
	:: else
	fi
}

proctype Killer(byte who)
{
	d_step { die(who) };
#ifdef USER
	state = DRAIN;
	exited[who] = 1
#endif
}

/* in user space: +1 on the first semaphore, then on the second */
proctype User()
{
	byte n, shows;
	bit first[PROCS];

	do
	:: n < SEMS ->
		d_step {
			i = 0;
			do
			:: i < PROCS -> first[i] = exited[i]; i++
			:: else -> break
			od;
			if
			:: state -> n = SEMS
			:: else
			fi
		};
		if
		:: n < SEMS ->
			d_step {
				k = 0;
				i = 0;
				do
				:: i < CLIENTS -> k = k + (st[i] == ASLEEP && NAMES(i, n)); i++
				:: else -> break
				od;
				if
				:: !k ->
					i = 0;
					do
					:: i < PROCS ->
						/* who had died before, and whom it has met */
						assert(!(first[i] || (n && place[i] < shows)) ||
						       gone[i] || !adjust[i * SEMS + n]);
						i++
					:: else -> break
					od;
					val[n] = val[n] + 1;
					g_val[n] = g_val[n] + 1;
					shows = g_head;
					n++
				:: else -> n = SEMS
				fi
			}
		:: else
		fi
	:: else -> break
	od
}

proctype Worker()
{
	byte n, last;
	bit through;

end:	do
	:: n < npush ->
		d_step {
			through = 0;
			if
			:: gone[list[n]] -> through = 1
			:: else ->
				collect();
				last = n + 1
			fi
		};
		do
		:: !through ->
			d_step {
				if
#ifdef MUTANT_WORKER_DETACHES
				:: removed && DUE(last) -> gone[dead[head]] = 1; head++; applied = 0
				:: !removed && (DUE(last) || UNFINISHED) -> some()
				:: removed && !DUE(last) -> through = 1
				:: !removed && !(DUE(last) || UNFINISHED) -> through = 1
#else
				:: DUE(last) || UNFINISHED -> some()
				:: else -> through = 1
#endif
				fi;
				k = 0
			}
		:: else -> break
		od;
		atomic { assert(gone[list[n]]); freed[list[n]] = 1; n++; last = 0; through = 0 }
	od
}

#define VALUES(a, b)	val[0] = a; val[1] = b; g_val[0] = a; g_val[1] = b
#define CLIENT(me, a, b)	op[me * SEMS] = a; op[me * SEMS + 1] = b; \
				mask[me] = (a != NOT) + 2 * (b != NOT)
#define ADJ(p, a, b)		adjust[p * SEMS] = a; adjust[p * SEMS + 1] = b; \
				g_adjust[p * SEMS] = a; g_adjust[p * SEMS + 1] = b

init
{
	atomic {
#if defined(ORDER)
		VALUES(0, 1);
		CLIENT(0, -1, NOT);
		CLIENT(1, NOT, -2);
		CLIENT(2, 1, NOT);
		ADJ(0, 1, 1);
		ADJ(1, -1, 1);
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, OP, 0, 0);
		run Killer(0);
		run Killer(1);
#elif defined(THREE)
		VALUES(0, 1);
		CLIENT(0, -1, NOT);
		CLIENT(1, NOT, -2);
		CLIENT(2, -1, -1);
		ADJ(0, 1, -1);
		ADJ(1, -1, 1);
		ADJ(2, 2, 1);
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, OP, 0, 0);
		run Killer(0);
		run Killer(1);
		run Killer(2);
#elif defined(TOGETHER)
		VALUES(0, 0);
		CLIENT(0, -1, 0);
		CLIENT(1, -1, NOT);
		CLIENT(2, NOT, -1);
		CLIENT(3, 1, -1);
		ADJ(0, 1, 1);
		ADJ(1, 1, -1);
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, OP, 0, 0);
		run Call(3, OP, 0, 0);
		run Killer(0);
		run Killer(1);
#elif defined(SET_ONE)
		VALUES(0, 1);
		CLIENT(0, -1, NOT);
		CLIENT(1, 0, NOT);
		CLIENT(2, 1, NOT);
		CLIENT(3, -1, -1);
		ADJ(0, 1, 1);
		ADJ(1, 2, -1);
		run Call(0, OP, 0, 0);
		run Call(1, SETVAL, 1, 0);
		run Call(2, UNDO, 0, 3);
		run Call(3, OP, 0, 0);
		run Killer(0);
		run Killer(1);
#elif defined(SET_ALL)
		VALUES(0, 0);
		CLIENT(0, -1, NOT);
		CLIENT(1, NOT, -1);
		CLIENT(2, 1, 1);
		CLIENT(3, 1, NOT);
		ADJ(0, 1, 1);
		ADJ(1, -1, 1);
		ADJ(2, 1, 1);
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, SETALL, 1, 0);
		run Call(3, UNDO, 0, 3);
		run Killer(0);
		run Killer(1);
#elif defined(GET_ALL)
		VALUES(0, 0);
		CLIENT(0, -1, NOT);
		CLIENT(1, NOT, -1);
		CLIENT(2, 1, 1);
		CLIENT(3, 1, 1);
		ADJ(0, 1, 1);
		ADJ(1, -1, 1);
		ADJ(2, 1, 1);
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, GETALL, 0, 0);
		run Call(3, GETALL, 0, 0);
		run Killer(0);
		run Killer(1);
		run Killer(2);
#elif defined(USER)
		VALUES(0, 0);
		CLIENT(0, -1, NOT);
		CLIENT(1, NOT, -1);
		CLIENT(2, 1, 1);
		ADJ(0, 1, 0);
		ADJ(1, 0, 1);
		ADJ(2, 1, 1);
		/* nobody is dead yet */
		place[0] = NOT;
		place[1] = NOT;
		place[2] = NOT;
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, GETALL, 0, 0);
		run Killer(0);
		run Killer(2);
		run User();
#elif defined(REMOVE)
		VALUES(0, 0);
		CLIENT(0, -1, NOT);
		CLIENT(1, NOT, -1);
		CLIENT(2, -1, -1);
		CLIENT(3, 0, 0);
		ADJ(0, 1, 1);
		ADJ(1, 1, 1);
		run Call(0, OP, 0, 0);
		run Call(1, OP, 0, 0);
		run Call(2, OP, 0, 0);
		run Call(3, RMID, 0, 0);
		run Killer(0);
		run Killer(1);
#endif
		run Worker()
	};
	timeout;
	d_step {
		if
		:: !ended ->
			assert(head == npush);
			g_until(npush);
			assert(!unsettled && !whole);
			same(ALL);
			k = 0;
			do
			:: k < PROCS * SEMS ->
				assert((HAS_VALUES(k / SEMS) && !gone[k / SEMS] -> adjust[k] : 0) == g_adjust[k]);
				k++
			:: else -> break
			od
		:: else
		fi;
		k = 0;
		do
		:: k < CLIENTS ->
			assert(st[k] != ASLEEP || (!ended && !GOES(k, val)));
			k++
		:: else -> break
		od
	}
}
