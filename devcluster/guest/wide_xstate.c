/* Preloaded into user-mode Linux, on processors whose floating-point state has outgrown it.
 *
 * User-mode Linux before 6.13 saves that state in a buffer of fixed size. Where the processor's state is larger (AMX), the
 * host's kernel refuses to set a state that is too short, and the guest dies at once: "ptrace set fp regs failed". This
 * fills the missing end of such a state with what the traced process has there already.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

static _Alignas(64) char whole[1 << 16];

static long set_state(long pid, void *kind, struct iovec *given)
{
	struct iovec state = { whole, sizeof whole };

	if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, kind, &state) != 0 || state.iov_len <= given->iov_len)
		return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, given);
	memcpy(whole, given->iov_base, given->iov_len);
	return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kind, &state);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list rest;
	va_start(rest, request);
	long pid = va_arg(rest, int);
	void *address = va_arg(rest, void *);
	void *data = va_arg(rest, void *);
	va_end(rest);

	if (request == PTRACE_SETREGSET && (unsigned long)address == NT_X86_XSTATE)
		return set_state(pid, address, data);
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
		/* The system call stores the word that it reads; the C library's function returns it. */
		long word = 0;
		long result = syscall(SYS_ptrace, request, pid, address, &word);

		if (result < 0)
			return result;
		errno = 0;
		return word;
	}
	return syscall(SYS_ptrace, request, pid, address, data);
}
