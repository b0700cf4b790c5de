/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of libkipc-preload that must not have a stack frame.
 *
 * syscall: a program may enter clone by it, with a new stack for the child.
 * What is not kipc's is therefore done as the C library does it, on the same
 * stack, without a call.  (It would be wrong to jump to the C library's own:
 * memory allocators use syscall before a symbol can be looked up.)
 *
 * dlopen, dlmopen: the dynamic linker takes the caller's search path and
 * namespace from the return address, so the real function is jumped to.  Of the
 * flags RTLD_DEEPBIND is removed, for with it the loaded object's references
 * would go to the C library past this one.
 */
#define RTLD_DEEPBIND	8

	.text

.macro	function name
	.globl	\name
	.type	\name, @function
	.balign	16
\name:
	.cfi_startproc
.endm

.macro	end name
	.cfi_endproc
	.size	\name, . - \name
.endm

#if defined(__x86_64__) && !defined(__ILP32__)

#define SYS_shmget	29	/* shmat 30, shmctl 31 */
#define SYS_semget	64	/* semop 65, semctl 66, shmdt 67, msgget 68 to msgctl 71 */
#define SYS_semtimedop	220
#define SYS_mq_open	240	/* to mq_getsetattr 245 */
#define SYS_vfork	58

function syscall
	leal	-SYS_shmget(%rdi), %eax
	cmpl	$2, %eax
	jbe	kipc_preload_syscall
	leal	-SYS_semget(%rdi), %eax
	cmpl	$7, %eax
	jbe	kipc_preload_syscall
	cmpl	$SYS_semtimedop, %edi
	je	kipc_preload_syscall
	leal	-SYS_mq_open(%rdi), %eax
	cmpl	$5, %eax
	jbe	kipc_preload_syscall
	.hidden	kipc_preload_native
	.globl	kipc_preload_native
	.type	kipc_preload_native, @function
kipc_preload_native:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	cmpq	$-4095, %rax
	jae	1f
	ret
1:	negl	%eax
	movl	%eax, %edi
	jmp	kipc_preload_error
end syscall

.macro	jump_to next, find
	movq	\next(%rip), %rax
	testq	%rax, %rax
	jz	1f
	jmp	*%rax
1:	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	pushq	%rsi
	.cfi_adjust_cfa_offset 8
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	call	\find
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	popq	%rsi
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	jmp	*%rax
.endm

/*
 * The child returns first, on this stack: nothing is kept there.  It is not the process
 * that has mapped what operations without a system call need.
 */
function vfork
	.globl	__vfork
	.type	__vfork, @function
	.set	__vfork, vfork
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	kipc_fast_sem_suspend
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rdi
	movl	$SYS_vfork, %eax
	syscall
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
	testq	%rax, %rax
	jz	1f
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	call	kipc_fast_sem_resume
	popq	%rax
	.cfi_adjust_cfa_offset -8
	cmpq	$-4095, %rax
	jae	2f
1:	ret
2:	negl	%eax
	movl	%eax, %edi
	jmp	kipc_preload_error
end vfork

function dlopen
	andl	$~RTLD_DEEPBIND, %esi
	jump_to	kipc_preload_dlopen, kipc_preload_find_dlopen
end dlopen

function dlmopen
	andl	$~RTLD_DEEPBIND, %edx
	jump_to	kipc_preload_dlmopen, kipc_preload_find_dlmopen
end dlmopen

#elif defined(__i386__)

#define SYS_ipc		117
#define SYS_semget	393	/* semctl 394, shmget 395 to shmdt 398, msgget 399 to msgctl 402 */
#define SYS_mq_open	277	/* to mq_getsetattr 282 */
#define SYS_mq_timedsend_time64 418	/* mq_timedreceive_time64 419, semtimedop_time64 420 */

function syscall
	movl	4(%esp), %eax
	cmpl	$SYS_ipc, %eax
	je	kipc_preload_syscall
	subl	$SYS_mq_open, %eax
	cmpl	$5, %eax
	jbe	kipc_preload_syscall
	subl	$SYS_semget - SYS_mq_open, %eax
	cmpl	$9, %eax
	jbe	kipc_preload_syscall
	subl	$SYS_mq_timedsend_time64 - SYS_semget, %eax
	cmpl	$2, %eax
	jbe	kipc_preload_syscall
	.hidden	kipc_preload_native
	.globl	kipc_preload_native
	.type	kipc_preload_native, @function
kipc_preload_native:
	pushl	%ebp
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset %ebp, 0
	pushl	%edi
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset %edi, 0
	pushl	%esi
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset %esi, 0
	pushl	%ebx
	.cfi_adjust_cfa_offset 4
	.cfi_rel_offset %ebx, 0
	movl	44(%esp), %ebp
	movl	40(%esp), %edi
	movl	36(%esp), %esi
	movl	32(%esp), %edx
	movl	28(%esp), %ecx
	movl	24(%esp), %ebx
	movl	20(%esp), %eax
	/* Not the vDSO's entry: it would return through a clone child's new stack. */
	int	$0x80
	popl	%ebx
	.cfi_adjust_cfa_offset -4
	.cfi_restore %ebx
	popl	%esi
	.cfi_adjust_cfa_offset -4
	.cfi_restore %esi
	popl	%edi
	.cfi_adjust_cfa_offset -4
	.cfi_restore %edi
	popl	%ebp
	.cfi_adjust_cfa_offset -4
	.cfi_restore %ebp
	cmpl	$-4095, %eax
	jae	1f
	ret
1:	negl	%eax
	subl	$8, %esp
	.cfi_adjust_cfa_offset 8
	pushl	%eax
	.cfi_adjust_cfa_offset 4
	call	kipc_preload_error
	addl	$12, %esp
	.cfi_adjust_cfa_offset -12
	ret
end syscall

.macro	jump_to next, find
	call	own_address
	addl	$_GLOBAL_OFFSET_TABLE_, %ecx
	movl	\next@GOTOFF(%ecx), %eax
	testl	%eax, %eax
	jz	1f
	jmp	*%eax
1:	subl	$12, %esp
	.cfi_adjust_cfa_offset 12
	call	\find
	addl	$12, %esp
	.cfi_adjust_cfa_offset -12
	jmp	*%eax
.endm

/* The arguments are the callee's to change. */
function dlopen
	andl	$~RTLD_DEEPBIND, 8(%esp)
	jump_to	kipc_preload_dlopen, kipc_preload_find_dlopen
end dlopen

function dlmopen
	andl	$~RTLD_DEEPBIND, 12(%esp)
	jump_to	kipc_preload_dlmopen, kipc_preload_find_dlmopen
end dlmopen

	.type	own_address, @function
own_address:
	.cfi_startproc
	movl	(%esp), %ecx
	ret
end own_address

#else
#error "libkipc-preload speaks x86-64 and i386"
#endif

	.section .note.GNU-stack, "", @progbits
