/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The views of a set are cut and folded in parts, while SETALL, operations and the death of
 * their process go on, and new ones are made.
 *
 * Stands for, in kernel/sem_map.c: kipc_sem_view_make(), kipc_sem_wait_closed_unlock() and
 * kipc_sem_view_add_locked() (proctype Mapper), kipc_sem_cut_all(), kipc_sem_end_cut() and
 * kipc_sem_fold_some_locked() (cut_all, end_cut, fold_some), kipc_sem_vm_close() (Exit),
 * kipc_sem_fast_locked() (FAST); kipc_sem_assign_all() of kernel/sem_ctl.c (All); undo
 * values in kernel/sem_undo.c.
 *
 * What is done in one hold of the set's lock is one step, with one semaphore in the place of
 * 256.  An operation in user space is one step too: what there is in the middle of one is
 * sem_undo.pml's and sem_cut.pml's matter, who sleeps sem_parts.pml's.
 *
 * Bounds: two semaphores; process A, which maps the set twice, one after the other, and does
 * up to three operations with undo; one SETALL, SETVAL and operation of others, one change
 * of mode, one cut of A's own, one removal; death at any time.
 *
 *   SETTING	SETALL of a set that is so small that its views stay; SETVAL
 *   CUTTING	SETALL, which cuts first, and a change of mode; A maps again
 *   FOLDING	a change of mode and SETALL of a small set; A maps again; SETVAL
 *   TWICE	a change of mode cuts, so does A; A maps again and operates; SETVAL
 *   REMOVAL	A maps again, a change of mode, SETALL; its undo values are freed
 *
 * Checked: whoever has the lock for a semaphore meets the value that the operations and the
 * death so far make; undo values are the sum of the operations since they were forgotten;
 * nothing is folded whose page is still there, or twice, or into values that were forgotten;
 * SETALL of a large set meets no view; what was freed is not looked at.
 *
 * MUTANT_*: a deliberate fault, which must fail an assertion; scripts/check-model has the
 * list.
 */
#define SEMS	2
#define VIEWS	3	/* 1 and 2; 0 is none */

#define CELL(m, s)	fast[(m) * SEMS + (s)]

/* the set */
short val[SEMS];
byte forgets, cuts, closed;
bit folding;		/* the mutex */
bit removed;		/* it has left the tables */
bit ended;		/* and its undo values are no longer its own */
bit drain;		/* page.state: a death is to be dealt with, or the set is gone */

/* views: their own part, their pages */
short fast[VIEWS * SEMS];
byte cut[VIEWS], folded[VIEWS];
bit linked[VIEWS], mapped[VIEWS], page[VIEWS];

/* the undo values of A */
short adjust[SEMS];
byte gen, view;
byte applied;
bit dead, dying, collected, gone, freed;
byte live;

/* what has to be */
short g_val[SEMS], g_undo[SEMS];

hidden byte i;
hidden short a;

#ifdef MUTANT_FOLDED_STILL_COUNTS
#define FAST(s)		(view -> CELL(view, s) : 0)
#else
#define FAST(s)		(view && folded[view] <= (s) -> CELL(view, s) : 0)
#endif
#define HAS_VALUES	(gen == forgets)

/* ---- the kernel, each in one hold of the set's lock ---- */

inline collect()
{
	if
	:: dying && !ended ->
		dying = 0;
		collected = 1;
		i = 0;
		do
		:: i < SEMS -> g_val[i] = g_val[i] + g_undo[i]; g_undo[i] = 0; i++
		:: else -> break
		od
	:: else
	fi
}

inline adjust_one(s)
{
	assert(!freed);
	if
	:: HAS_VALUES ->
		a = adjust[s] + FAST(s);
		adjust[s] = -FAST(s);
		val[s] = val[s] + a
	:: else
	fi
}

/* the lock was taken for one semaphore */
inline catch_up_one(s)
{
	collect();
	if
	:: collected && !gone -> adjust_one(s)
	:: else
	fi;
	assert(val[s] == g_val[s])
}

inline fold_some(m)
{
	if
	:: view == m ->
		assert(!page[m] && HAS_VALUES);
		adjust[folded[m]] = adjust[folded[m]] + CELL(m, folded[m]);
		folded[m]++
	:: else -> folded[m] = SEMS
	fi;
	if
	:: folded[m] == SEMS ->
		linked[m] = 0;
		if
		:: view == m -> view = 0
		:: else
		fi
	:: else
	fi
}

inline detach()
{
	view = 0;
	gone = 1
}

/* the next few of the death */
inline apply_some()
{
	if
	:: view ->
		if
		:: !cut[view] -> cuts++; cut[view] = cuts
		:: else
		fi;
		if
		:: mapped[view] && !folded[view] -> page[view] = 0
		:: else
		fi;
		fold_some(view)
	:: !view && HAS_VALUES && applied < SEMS -> adjust_one(applied); applied++
	:: else -> detach()
	fi
}

#ifdef MUTANT_CUTS_NOT_NUMBERED
#define DUE(m, n)	(linked[m] && cut[m])
#else
#define DUE(m, n)	(linked[m] && cut[m] && cut[m] <= (n))
#endif

inline mark(m)
{
	if
	:: linked[m] && !cut[m] -> cuts++; cut[m] = cuts
	:: else
	fi
}

/* zap, then fold, a part at a time */
inline end_cut(n)
{
#ifdef MUTANT_FOLDED_BEFORE_ZAP
	atomic { !folding -> folding = 1 };
#else
	d_step { page[1] = 0; page[2] = 0 };
	atomic { !folding -> folding = 1 };
#endif
	do
	:: d_step { DUE(1, n) -> fold_some(1) }
	:: d_step { !DUE(1, n) && DUE(2, n) -> fold_some(2) }
	:: atomic { !DUE(1, n) && !DUE(2, n) -> folding = 0; break }
	od;
#ifdef MUTANT_FOLDED_BEFORE_ZAP
	atomic { page[1] = 0; page[2] = 0 }
#endif
}

inline cut_all(n)
{
	d_step {
		mark(1);
		mark(2);
		n = (linked[1] || linked[2] -> cuts : 0)
	};
	if
	:: n -> end_cut(n)
	:: else
	fi
}

/* ---- user space of A, and its system calls ---- */

/* A fault brings the page in, unless the view is cut. */
#define OPEN(m)		(mapped[m] && (page[m] || !cut[m]))

/* -1 with SEM_UNDO; any of its threads may be the last that is heard of A */
inline take(m, s)
{
	atomic {
		if
		:: true	/* killed before */
		:: OPEN(m) && !drain ->
			d_step {
				page[m] = 1;
				val[s] = val[s] - 1;
				CELL(m, s) = CELL(m, s) + 1;
				g_val[s] = g_val[s] - 1;
				g_undo[s] = g_undo[s] + 1
			}
		:: !(OPEN(m) && !drain) ->
			d_step {
				if
				:: !removed ->
					catch_up_one(s);
					assert(!freed);
#ifndef MUTANT_NOT_RENEWED
					if
					:: !HAS_VALUES -> adjust[0] = 0; adjust[1] = 0
					:: else
					fi;
#endif
					gen = forgets;
					val[s] = val[s] - 1;
					adjust[s] = adjust[s] + 1;
					g_val[s] = g_val[s] - 1;
					g_undo[s] = g_undo[s] + 1
				:: else
				fi
			}
		fi
	}
}

proctype Taker(byte m; byte first; byte second)
{
	take(m, first);
	if
	:: second < SEMS -> take(m, second)
	:: else
	fi;
	live--
}

/* A maps the set again; then an operation there */
proctype Mapper(byte s)
{
	byte n;
	bit has;

	do
	:: d_step {
		!n && !has ->
		if
#ifdef MUTANT_FREED_IS_READ
		:: assert(!freed); removed && !(view && cut[view]) -> has = 1
		:: view && cut[view] ->
#else
		:: removed -> has = 1
		:: !removed && view && cut[view] ->
			assert(!freed);
#endif
#ifdef MUTANT_VIEW_TAKEN_OVER
			view = 0;
#else
			n = cut[view]
#endif
#ifndef MUTANT_CLOSED_IGNORED
		:: !removed && !(view && cut[view]) && closed -> n = 99
#endif
		:: else ->
			assert(!freed);
			has = 1;
			if
			:: view		/* EBUSY */
			:: else ->
				view = 2;
				linked[2] = 1;
				mapped[2] = 1;
#ifndef MUTANT_VIEW_NOT_RENEWED
				if
				:: !HAS_VALUES -> adjust[0] = 0; adjust[1] = 0; gen = forgets
				:: else
				fi
#endif
			fi
		fi
	   }
	:: n && n != 99 -> end_cut(n); n = 0
	:: atomic { n == 99 && !folding -> n = 0 }
	:: has -> break
	od;
	take(2, s);
	live--
}

/* A cuts what it has: its rights change */
proctype Own()
{
	byte n;

	d_step {
		if
		:: view -> mark(view); n = cuts
		:: else
		fi
	};
	if
	:: n -> end_cut(n)
	:: else
	fi;
	live--
}

/* A ends: its memory goes, as a rule, before the hook */
proctype Exit()
{
	live == 0;
	dead = 1;
	if
	:: true ->
		d_step { page[1] = 0; page[2] = 0; mark(1); mark(2) };
		atomic { !folding -> folding = 1 };
		do
		:: d_step { linked[1] -> fold_some(1) }
		:: d_step { !linked[1] && linked[2] -> fold_some(2) }
		:: atomic { !linked[1] && !linked[2] -> folding = 0; break }
		od;
		atomic { mapped[1] = 0; mapped[2] = 0 }
	:: skip
	fi;
	d_step {
		if
		:: !ended -> dying = 1; drain = 1
		:: else
		fi
	}
}

/* ---- others ---- */

proctype Worker()
{
end:	do
	:: d_step { (dying || collected) && !gone -> collect(); apply_some() }
	od
}

/* IPC_SET */
proctype Mode()
{
	byte n;

	cut_all(n)
}

/* SETALL; cuts: the set is large */
proctype All(bit cuts_first)
{
	byte n;

	if
	:: cuts_first ->
		closed++;
		cut_all(n)
	:: else
	fi;
	do
	:: d_step {
		removed || !((dying || collected) && !gone) ->
		if
		:: cuts_first -> closed--
		:: else
		fi;
		if
		:: !removed ->
			assert(val[0] == g_val[0] && val[1] == g_val[1]);
			assert(!cuts_first || (!linked[1] && !linked[2]));
			val[0] = 6;
			val[1] = 6;
			g_val[0] = 6;
			g_val[1] = 6;
			g_undo[0] = 0;
			g_undo[1] = 0;
			forgets++;
#ifndef MUTANT_VIEWS_NOT_FORGOTTEN
			if
			:: view ->
				gen = forgets;
#ifdef MUTANT_FAST_NOT_FORGOTTEN
				adjust[0] = 0;
				adjust[1] = 0
#else
				adjust[0] = -FAST(0);
				adjust[1] = -FAST(1)
#endif
			:: else
			fi
#endif
		:: else
		fi
	   };
		break
	:: d_step { !removed && (dying || collected) && !gone -> collect(); apply_some() }
	od
}

/* SETVAL of one semaphore */
proctype One(byte s)
{
	d_step {
		if
		:: !removed ->
			catch_up_one(s);
			val[s] = 5;
			g_val[s] = 5;
			g_undo[s] = 0;
			adjust[s] = -FAST(s)
		:: else
		fi
	}
}

/* an operation of somebody else's by system call */
proctype Other(byte s)
{
	d_step {
		if
		:: !removed ->
			catch_up_one(s);
			val[s] = val[s] + 1;
			g_val[s] = g_val[s] + 1
		:: else
		fi
	}
}

proctype Remover()
{
	byte n;

	removed = 1;
	do
	:: d_step { (dying || collected) && !gone -> collect(); apply_some() }
	:: d_step {
		!((dying || collected) && !gone) ->
		assert(val[0] == g_val[0] && val[1] == g_val[1]);
		drain = 1;
		detach();
		ended = 1
	   };
		break
	od;
	cut_all(n);
	/* by a thread of A, or the worker */
	freed = 1
}

init
{
	atomic {
		val[0] = 4;
		val[1] = 4;
		g_val[0] = 4;
		g_val[1] = 4;
		view = 1;
		linked[1] = 1;
		mapped[1] = 1;
		run Worker();
		run Exit();
#if defined(SETTING)
		live = 2;
		run Taker(1, 0, 1);
		run Taker(1, 1, 9);
		run All(0);
		run One(1);
		run Other(0)
#elif defined(CUTTING)
		live = 2;
		run Taker(1, 0, 1);
		run Mapper(1);
		run All(1);
		run Mode();
		run Other(1)
#elif defined(FOLDING)
		live = 2;
		run Taker(1, 0, 1);
		run Mapper(1);
		run Mode();
		run All(0);
		run One(0)
#elif defined(TWICE)
		live = 3;
		run Taker(1, 0, 1);
		run Mapper(1);
		run Own();
		run Mode();
		run One(0);
		run Other(1)
#elif defined(REMOVAL)
		live = 2;
		run Taker(1, 0, 1);
		run Mapper(1);
		run Mode();
		run All(1);
		run Remover()
#endif
	};
	timeout;
	assert(dead && live == 0 && !folding && !closed);
	assert(!linked[1] && !linked[2]);
	if
	:: !ended ->
		assert(gone);
		assert(val[0] == g_val[0] && val[1] == g_val[1])
	:: else
	fi
}
