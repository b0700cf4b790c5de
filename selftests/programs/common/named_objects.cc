// SPDX-License-Identifier: GPL-2.0
/*
 * Named objects of Boost.Interprocess, used by several processes that have nothing in common but
 * the names: each is begun anew by execve.
 *
 *	named_objects ROUND [COMMAND]
 *
 * COMMAND is for a shell, while the objects of the round are there.  What is printed is the same
 * whatever serves it.
 */
#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/containers/map.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/containers/vector.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/named_condition.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <boost/interprocess/sync/named_recursive_mutex.hpp>
#include <boost/interprocess/sync/named_semaphore.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace bip = boost::interprocess;
using boost::posix_time::microsec_clock;
using boost::posix_time::milliseconds;

static const int WORKERS = 4, TURNS = 500;
static const size_t SLICE = 64 * 1024;

static int failures;

static void expect(bool is_so, const char *what)
{
	std::printf("%s %s\n", is_so ? "yes" : "NO ", what);
	std::fflush(stdout);
	failures += !is_so;
}

/* Does it throw that error? */
static void expect_error(bip::error_code_t error, const char *what,
			 const std::function<void()> &act)
{
	try {
		act();
	} catch (const bip::interprocess_exception &e) {
		expect(e.get_error_code() == error, what);
		return;
	}
	expect(false, what);
}

static boost::posix_time::ptime soon()
{
	return microsec_clock::universal_time() + milliseconds(50);
}

static boost::posix_time::ptime much_later()
{
	return microsec_clock::universal_time() + milliseconds(600 * 1000);
}

static pid_t begin(const char *part, int number)
{
	const std::string text = std::to_string(number);
	pid_t pid = fork();

	if (pid)
		return pid;
	execl("/proc/self/exe", "named_objects", part, text.c_str(), nullptr);
	_exit(127);
}

static void expect_end(const std::vector<pid_t> &children, const char *what)
{
	bool all = true;
	int status;

	for (pid_t pid : children)
		all &= pid > 0 && waitpid(pid, &status, 0) == pid && !status;
	expect(all, what);
}

static std::vector<pid_t> begin_all(const char *part)
{
	std::vector<pid_t> children;

	for (int i = 0; i < WORKERS; i++)
		children.push_back(begin(part, i));
	return children;
}

static void run(const char *command)
{
	if (command)
		expect(std::system(command) == 0, "the command ran while they are there");
}

/* ---- Plain shared memory ---- */

static int fill_slice(int number)
{
	bip::shared_memory_object memory(bip::open_only, "kipc.memory", bip::read_write);
	bip::mapped_region slice(memory, bip::read_write, number * SLICE, SLICE);

	std::memset(slice.get_address(), 'a' + number, slice.get_size());
	return 0;
}

static bool has_slices(const bip::mapped_region &region)
{
	const char *bytes = static_cast<const char *>(region.get_address());

	for (size_t i = 0; i < WORKERS * SLICE; i++)
		if (bytes[i] != 'a' + static_cast<int>(i / SLICE))
			return false;
	return true;
}

static void memory(const char *command)
{
	using bip::shared_memory_object;
	bip::offset_t size = 0;

	shared_memory_object::remove("kipc.memory");
	expect_error(bip::not_found_error, "memory that is not there is not found", [] {
		shared_memory_object(bip::open_only, "kipc.memory", bip::read_only);
	});
	shared_memory_object made(bip::create_only, "kipc.memory", bip::read_write);
	expect_error(bip::already_exists_error, "it is not made twice", [] {
		shared_memory_object(bip::create_only, "kipc.memory", bip::read_write);
	});
	expect(made.get_size(size) && size == 0, "new memory is empty");
	made.truncate(WORKERS * SLICE);
	expect_end(begin_all("fill-slice"), "each process has filled its part");
	run(command);

	shared_memory_object reader(bip::open_or_create, "kipc.memory", bip::read_only);
	bip::mapped_region region(reader, bip::read_only);
	expect(reader.get_size(size) && size == static_cast<bip::offset_t>(WORKERS * SLICE),
	       "it has the size it was given");
	expect(has_slices(region), "all parts are seen");
	expect_error(bip::security_error, "a reader's is not mapped for writing", [&] {
		bip::mapped_region(reader, bip::read_write);
	});
	expect(shared_memory_object::remove("kipc.memory"), "its name is removed");
	expect(!shared_memory_object::remove("kipc.memory"), "once");
	expect(has_slices(region), "what is mapped stays");
}

/* ---- Objects and containers in managed memory ---- */

template <typename T> using allocator =
	bip::allocator<T, bip::managed_shared_memory::segment_manager>;
using text = bip::basic_string<char, std::char_traits<char>, allocator<char>>;
using texts = bip::map<int, text, std::less<int>, allocator<std::pair<const int, text>>>;
using numbers = bip::vector<int, allocator<int>>;

static int work_managed(int number)
{
	bip::managed_shared_memory memory(bip::open_or_create, "kipc.managed", SLICE);
	auto *lock = memory.find_or_construct<bip::interprocess_mutex>("lock")();
	auto *count = memory.find_or_construct<long>("count")(0);
	auto *all = memory.find_or_construct<numbers>("numbers")(memory.get_segment_manager());
	auto *by_number = memory.find_or_construct<texts>("texts")(std::less<int>(),
								   memory.get_segment_manager());

	for (int i = 0; i < TURNS; i++) {
		bip::scoped_lock<bip::interprocess_mutex> guard(*lock);

		++*count;
		all->push_back(number);
	}
	bip::scoped_lock<bip::interprocess_mutex> guard(*lock);
	text mine(("process " + std::to_string(number)).c_str(), memory.get_segment_manager());
	by_number->emplace(number, mine);
	return 0;
}

static bool has_all(const numbers &all, const texts &by_number)
{
	std::map<int, int> seen;

	for (int number : all)
		seen[number]++;
	for (int i = 0; i < WORKERS; i++) {
		const auto found = by_number.find(i);

		if (seen[i] != TURNS || found == by_number.end() ||
		    found->second != ("process " + std::to_string(i)).c_str())
			return false;
	}
	return true;
}

static void managed(const char *command)
{
	bip::shared_memory_object::remove("kipc.managed");
	expect_error(bip::not_found_error, "managed memory that is not there is not found", [] {
		bip::managed_shared_memory(bip::open_only, "kipc.managed");
	});
	/* Each may be the one that makes it, and each of the objects. */
	expect_end(begin_all("work-managed"), "each process has done its work");
	run(command);
	{
		bip::managed_shared_memory memory(bip::open_only, "kipc.managed");
		auto count = memory.find<long>("count");
		auto all = memory.find<numbers>("numbers");
		auto by_number = memory.find<texts>("texts");

		expect_error(bip::already_exists_error, "it is not made twice", [] {
			bip::managed_shared_memory(bip::create_only, "kipc.managed", SLICE);
		});
		expect(memory.get_size() == SLICE && memory.get_num_named_objects() == 4,
		       "made once, each object in it too");
		expect(count.first && *count.first == WORKERS * TURNS, "no turn was lost");
		expect(all.first && by_number.first && has_all(*all.first, *by_number.first),
		       "the containers have what each has put there");
		expect(!memory.find<long>("none").first, "what nobody has made is not there");
		try {
			memory.allocate(2 * SLICE);
			expect(false, "more than there is is not to be had");
		} catch (const bip::bad_alloc &) {
			expect(true, "more than there is is not to be had");
		}
		expect(memory.destroy<numbers>("numbers") && memory.destroy<texts>("texts") &&
		       !memory.destroy<texts>("texts"), "what is destroyed is gone");
		expect(memory.check_sanity(), "and the memory is in order");
	}
	expect(bip::managed_shared_memory::grow("kipc.managed", SLICE), "it grows");
	expect(bip::managed_shared_memory(bip::open_read_only, "kipc.managed").get_size() == 2 * SLICE,
	       "so that it is seen");
	expect(bip::shared_memory_object::remove("kipc.managed"), "its name is removed");
}

/* ---- Semaphores ---- */

static int pass_on(int number)
{
	const std::string mine = "kipc.pass" + std::to_string(number);
	const std::string next = "kipc.pass" + std::to_string((number + 1) % WORKERS);
	bip::named_semaphore from(bip::open_or_create, mine.c_str(), 0);
	bip::named_semaphore to(bip::open_or_create, next.c_str(), 0);

	for (int i = 0; i < TURNS; i++) {
		from.wait();
		to.post();
	}
	return 0;
}

static void semaphore(const char *command)
{
	using bip::named_semaphore;
	bool all = true;

	named_semaphore::remove("kipc.sem");
	expect_error(bip::not_found_error, "a semaphore that is not there is not found", [] {
		named_semaphore(bip::open_only, "kipc.sem");
	});
	named_semaphore sem(bip::create_only, "kipc.sem", 2);
	expect_error(bip::already_exists_error, "it is not made twice", [] {
		named_semaphore(bip::create_only, "kipc.sem", 1);
	});
	named_semaphore same(bip::open_or_create, "kipc.sem", 7);
	expect(same.try_wait() && sem.try_wait() && !same.try_wait(), "it has two units");
	expect(!sem.timed_wait(soon()), "a time is over when it has none");
	same.post();
	expect(sem.timed_wait(much_later()), "and is not used up when it has");

	std::vector<pid_t> children = begin_all("pass-on");
	{
		named_semaphore first(bip::open_or_create, "kipc.pass0", 0);

		first.post();
		expect_end(children, "one unit went round");
		run(command);
		expect(first.try_wait() && !first.try_wait(), "and is back");
	}
	expect(named_semaphore::remove("kipc.sem") && !named_semaphore::remove("kipc.sem"),
	       "its name is removed, once");
	sem.post();
	expect(same.try_wait(), "without it it works on");
	for (int i = 0; i < WORKERS; i++)
		all &= named_semaphore::remove(("kipc.pass" + std::to_string(i)).c_str());
	expect(all, "no process has removed another's");
}

/* ---- Mutexes and conditions, with what they protect in managed memory ---- */

struct stock {
	int pieces, made, taken;
	bool ended;
};

static const int ROOM = 5;

static int produce(int)
{
	bip::managed_shared_memory memory(bip::open_only, "kipc.stock");
	bip::named_mutex mutex(bip::open_only, "kipc.mutex");
	bip::named_condition has_room(bip::open_only, "kipc.room"), has_any(bip::open_only, "kipc.any");
	stock *s = memory.find<stock>("stock").first;

	for (int i = 0; i < TURNS; i++) {
		bip::scoped_lock<bip::named_mutex> lock(mutex);

		has_room.wait(lock, [s] { return s->pieces < ROOM; });
		s->pieces++;
		s->made++;
		has_any.notify_one();
	}
	return 0;
}

static int consume(int)
{
	bip::managed_shared_memory memory(bip::open_only, "kipc.stock");
	bip::named_mutex mutex(bip::open_only, "kipc.mutex");
	bip::named_condition has_room(bip::open_only, "kipc.room"), has_any(bip::open_only, "kipc.any");
	stock *s = memory.find<stock>("stock").first;

	for (;;) {
		bip::scoped_lock<bip::named_mutex> lock(mutex);

		has_any.wait(lock, [s] { return s->pieces || s->ended; });
		if (!s->pieces)
			return 0;
		s->pieces--;
		s->taken++;
		has_room.notify_one();
	}
}

static void mutex(const char *command)
{
	static const char *const conditions[] = { "kipc.room", "kipc.any" };

	bip::named_mutex::remove("kipc.mutex");
	bip::named_recursive_mutex::remove("kipc.recursive");
	bip::shared_memory_object::remove("kipc.stock");
	for (const char *name : conditions)
		bip::named_condition::remove(name);
	expect_error(bip::not_found_error, "a mutex that is not there is not found", [] {
		bip::named_mutex(bip::open_only, "kipc.mutex");
	});
	bip::named_mutex lock(bip::create_only, "kipc.mutex"), same(bip::open_only, "kipc.mutex");
	expect_error(bip::already_exists_error, "it is not made twice", [] {
		bip::named_mutex(bip::create_only, "kipc.mutex");
	});
	expect(lock.try_lock() && !same.try_lock() && !same.timed_lock(soon()),
	       "it is had by one at a time");
	lock.unlock();
	expect(same.timed_lock(much_later()), "and then by the other");
	same.unlock();
	{
		bip::named_recursive_mutex twice(bip::open_or_create, "kipc.recursive");

		twice.lock();
		expect(twice.try_lock(), "another kind is had twice");
		twice.unlock();
		twice.unlock();
	}

	bip::managed_shared_memory memory(bip::create_only, "kipc.stock", SLICE);
	bip::named_condition has_room(bip::create_only, "kipc.room"),
		has_any(bip::create_only, "kipc.any");
	stock *s = memory.construct<stock>("stock")(stock{});
	std::vector<pid_t> consumers = begin_all("consume");
	expect_end(begin_all("produce"), "all was made");
	run(command);
	{
		bip::scoped_lock<bip::named_mutex> guard(lock);

		s->ended = true;
		has_any.notify_all();
	}
	expect_end(consumers, "and taken");
	expect(s->made == WORKERS * TURNS && s->taken == s->made && !s->pieces, "no piece was lost");
	{
		bip::scoped_lock<bip::named_mutex> guard(lock);

		expect(!has_any.timed_wait(guard, soon()), "a condition that does not come is not met");
	}
	expect(bip::named_mutex::remove("kipc.mutex") && !bip::named_mutex::remove("kipc.mutex"),
	       "the mutex's name is removed, once");
	expect(bip::named_recursive_mutex::remove("kipc.recursive") &&
	       bip::named_condition::remove("kipc.room") && bip::named_condition::remove("kipc.any") &&
	       bip::shared_memory_object::remove("kipc.stock"), "so are the others'");
}

/* ---- Boost's own queues of messages ---- */

struct note {
	int from, number;
};

static int send_notes(int number)
{
	bip::message_queue queue(bip::open_only, "kipc.queue");

	for (int i = 0; i < TURNS; i++) {
		const note sent = { number, i };

		queue.send(&sent, sizeof(sent), 0);
	}
	return 0;
}

static bool receive_notes(bip::message_queue &queue)
{
	int next[WORKERS] = { 0 };
	bip::message_queue::size_type size;
	unsigned int priority;
	note got;

	for (int i = 0; i < WORKERS * TURNS; i++) {
		if (!queue.timed_receive(&got, sizeof(got), size, priority, much_later()) ||
		    size != sizeof(got) || priority || got.from < 0 || got.from >= WORKERS ||
		    got.number != next[got.from]++)
			return false;
	}
	return true;
}

static void queue(const char *command)
{
	using bip::message_queue;
	message_queue::size_type size;
	unsigned int priority, last = ~0u;
	bool ordered = true;
	note text = { 0, 0 };
	char small;

	message_queue::remove("kipc.queue");
	expect_error(bip::not_found_error, "a queue that is not there is not found", [] {
		message_queue(bip::open_only, "kipc.queue");
	});
	message_queue queue(bip::create_only, "kipc.queue", 8, sizeof(note));
	expect_error(bip::already_exists_error, "it is not made twice", [] {
		message_queue(bip::create_only, "kipc.queue", 1, 1);
	});
	expect(queue.get_max_msg() == 8 && queue.get_max_msg_size() == sizeof(note) &&
	       !queue.get_num_msg(), "it is empty and has its size");
	expect(!queue.try_receive(&text, sizeof(text), size, priority) &&
	       !queue.timed_receive(&text, sizeof(text), size, priority, soon()),
	       "of an empty one nothing comes");
	for (int i = 0; i < 8; i++)
		queue.send(&text, sizeof(text), i * 5 % 8);
	expect(!queue.try_send(&text, sizeof(text), 9) &&
	       !queue.timed_send(&text, sizeof(text), 9, soon()), "into a full one nothing goes");
	expect_error(bip::size_error, "there is to be room for the largest", [&] {
		queue.receive(&small, 1, size, priority);
	});
	for (int i = 0; i < 8; i++) {
		queue.receive(&text, sizeof(text), size, priority);
		ordered &= priority < last;
		last = priority;
	}
	expect(ordered && !queue.get_num_msg(), "the most urgent comes first");

	std::vector<pid_t> children = begin_all("send-notes");
	expect(receive_notes(queue), "each process's come in its order");
	expect_end(children, "and none is missing");
	run(command);
	expect(message_queue::remove("kipc.queue") && !message_queue::remove("kipc.queue"),
	       "its name is removed, once");
}

int main(int argc, char **argv)
{
	static const std::map<std::string, int (*)(int)> parts = {
		{ "fill-slice", fill_slice }, { "work-managed", work_managed },
		{ "pass-on", pass_on }, { "produce", produce }, { "consume", consume },
		{ "send-notes", send_notes },
	};
	static const std::map<std::string, void (*)(const char *)> rounds = {
		{ "memory", memory }, { "managed", managed }, { "semaphore", semaphore },
		{ "mutex", mutex }, { "queue", queue },
	};

	if (argc < 2)
		return 2;
	try {
		const auto part = parts.find(argv[1]);
		const auto round = rounds.find(argv[1]);

		if (part != parts.end() && argc == 3)
			return part->second(std::atoi(argv[2]));
		if (round == rounds.end())
			return 2;
		round->second(argv[2]);
	} catch (const std::exception &e) {
		std::printf("%s: %s\n", argv[1], e.what());
		return 1;
	}
	return failures ? 1 : 0;
}
