// SPDX-License-Identifier: GPL-2.0
/* kipcrun: run a program with kipc in the place of native System V IPC. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <kipc.h>

#define PRELOAD	"libkipc-preload.so"

/* As env(1): the program's own statuses are below. */
enum { EXIT_OURS = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static const char usage[] =
	"usage: kipcrun [--fallback native|fail] PROGRAM [ARGUMENT...]\n"
	"Run PROGRAM with its System V IPC served by kipc.\n"
	"\n"
	"  --fallback native  if kipc is not there, use native IPC\n"
	"  --fallback fail    if kipc is not there, fail (default)\n"
	"  --help, --version\n"
	"\n"
	"KIPC_PRELOAD names another preload library, KIPC_FALLBACK the default of --fallback.\n"
	"Exit status: PROGRAM's; 125 kipcrun failed, 126 PROGRAM cannot be run, 127 not found.\n";

/**
 * struct program - what is to be known of an executable beforehand
 * @path: where it is; empty if not found, and exec will say why
 * @is_32bit: ELF for 32-bit processors
 * @is_static: ELF without a dynamic linker
 * @is_privileged: the dynamic linker will ignore LD_PRELOAD
 */
struct program {
	char path[PATH_MAX];
	bool is_32bit;
	bool is_static;
	bool is_privileged;
};

static void find_program(const char *name, struct program *program)
{
	const char *dir = getenv("PATH") ?: "/bin:/usr/bin";
	struct stat st;
	size_t n;

	if (strchr(name, '/')) {
		snprintf(program->path, sizeof(program->path), "%s", name);
		return;
	}
	for (;; dir += n + 1) {
		n = strcspn(dir, ":");
		snprintf(program->path, sizeof(program->path), "%.*s%s%s",
			 (int)n, dir, n ? "/" : "", name);
		if (stat(program->path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(program->path, X_OK) == 0)
			return;
		if (!dir[n])
			break;
	}
	program->path[0] = '\0';
}

/* Is there a program header of @type?  The two classes differ in nothing else. */
#define HAS_HEADER(class, fd, type) ({					\
	Elf##class##_Ehdr e_;						\
	Elf##class##_Phdr p_;						\
	bool has_ = false;						\
	int i_;								\
									\
	if (pread(fd, &e_, sizeof(e_), 0) == sizeof(e_))		\
		for (i_ = 0; i_ < e_.e_phnum && !has_; i_++)		\
			has_ = pread(fd, &p_, sizeof(p_), e_.e_phoff +	\
				     i_ * sizeof(p_)) == sizeof(p_) &&	\
			       p_.p_type == (type);			\
	has_;								\
})

static void look_at_program(struct program *program)
{
	unsigned char ident[EI_NIDENT];
	struct stat st;
	int fd = open(program->path, O_RDONLY | O_CLOEXEC);

	/* Not readable is no reason not to run it. */
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		program->is_privileged =
			(st.st_mode & S_ISUID && st.st_uid != geteuid()) ||
			(st.st_mode & S_ISGID && st.st_gid != getegid()) ||
			(geteuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0);
	if (read(fd, ident, sizeof(ident)) == sizeof(ident) &&
	    memcmp(ident, ELFMAG, SELFMAG) == 0) {
		program->is_32bit = ident[EI_CLASS] == ELFCLASS32;
		program->is_static = !(program->is_32bit ? HAS_HEADER(32, fd, PT_INTERP) :
							   HAS_HEADER(64, fd, PT_INTERP));
	}
	close(fd);
}

/*
 * Beside the build's tools/, or where it was installed.  Of a program that is
 * not known to be 32-bit (a script) the machine's own kind is assumed.
 */
static bool find_preload(const struct program *program, char *preload)
{
	const char *dirs[] = {
		program->is_32bit ? "../build/lib32" : "../lib",
		program->is_32bit ? "../lib32" : NULL,
		program->is_32bit ? KIPC_LIBDIR32 : KIPC_LIBDIR,
	};
	const char *given = getenv("KIPC_PRELOAD");
	char self[PATH_MAX], path[2 * PATH_MAX];
	ssize_t n;
	size_t i;

	if (given && *given) {
		/* As it is: it may hold $LIB, for the dynamic linker. */
		snprintf(preload, PATH_MAX, "%s", given);
		return true;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!dirs[i])
			continue;
		snprintf(path, sizeof(path), "%s%s%s/" PRELOAD,
			 dirs[i][0] == '/' ? "" : self, dirs[i][0] == '/' ? "" : "/", dirs[i]);
		if (access(path, R_OK) == 0 && realpath(path, preload))
			return true;
	}
	return false;
}

/* Put @preload before what LD_PRELOAD holds, unless it is there. */
static bool set_preload(const char *preload)
{
	const char *old = getenv("LD_PRELOAD") ?: "";
	size_t length = strlen(preload);
	const char *p = old;
	char *value;
	bool ok;

	while ((p = strstr(p, preload))) {
		if ((p == old || strchr(": ", p[-1])) && strchr(": ", p[length]))
			return true;
		p += length;
	}
	if (asprintf(&value, "%s%s%s", preload, *old ? ":" : "", old) < 0)
		return false;
	ok = setenv("LD_PRELOAD", value, 1) == 0;
	free(value);
	return ok;
}

/* Is kipc there?  The library says why not. */
static bool has_kipc(void)
{
	struct kipc_query query;

	return kipc_query(&query) == 0;
}

static void run(char **argv)
{
	int error;

	execvp(argv[0], argv);
	error = errno;
	fprintf(stderr, "kipcrun: %s: %s\n", argv[0], strerror(error));
	exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fallback", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	const char *fallback = getenv("KIPC_FALLBACK") ?: "fail";
	struct program program = { 0 };
	const char *why = NULL;
	char preload[PATH_MAX];
	bool is_native;
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			fallback = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("kipcrun " KIPC_RELEASE);
			return 0;
		default:
			fputs(usage, stderr);
			return EXIT_OURS;
		}
	}
	argv += optind;
	if (!*argv || (strcmp(fallback, "native") != 0 && strcmp(fallback, "fail") != 0)) {
		if (*argv)
			fprintf(stderr, "kipcrun: fallback '%s'\n", fallback);
		fputs(usage, stderr);
		return EXIT_OURS;
	}
	is_native = strcmp(fallback, "native") == 0;
	if (setenv("KIPC_FALLBACK", fallback, 1))
		goto no_memory;

	find_program(argv[0], &program);
	if (!program.path[0])
		run(argv);
	look_at_program(&program);

	/* A preload that does not happen must not go unnoticed. */
	if (program.is_static)
		why = "it is statically linked";
	else if (program.is_privileged)
		why = "it is set-user-ID, set-group-ID or has capabilities";
	else if (!has_kipc()) {
		if (errno == EPROTO)
			is_native = false;
		why = "kipc is not there";
	}
	if (why) {
		fprintf(stderr, "kipcrun: %s: %s; %s\n", argv[0], why,
			is_native ? "it runs on native IPC" : "not started");
		if (!is_native)
			return EXIT_OURS;
		run(argv);
	}

	if (!find_preload(&program, preload)) {
		fprintf(stderr, "kipcrun: no %s" PRELOAD " beside %s or in %s\n",
			program.is_32bit ? "32-bit " : "", "../lib",
			program.is_32bit ? KIPC_LIBDIR32 : KIPC_LIBDIR);
		return EXIT_OURS;
	}
	if (strpbrk(preload, ": ")) {
		fprintf(stderr, "kipcrun: %s: LD_PRELOAD cannot hold a path with a colon or space\n",
			preload);
		return EXIT_OURS;
	}
	if (!set_preload(preload))
		goto no_memory;
	run(argv);

no_memory:
	perror("kipcrun");
	return EXIT_OURS;
}
