/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kogg-systemd: what kogg asks of systemd (org.freedesktop.systemd1(5),
 * sd-bus(3)).
 *
 * A program of its own, because libsystemd is only there as a shared library
 * and kogg is linked statically; it runs only for the systemd driver.
 *
 *   kogg-systemd start|set|attach|stop
 *
 * reads one line of JSON, {"unit": NAME, "user": BOOL}, with "properties":
 * [[NAME, SIGNATURE, VALUE], ...] for start and set, and "below": GROUP and
 * "pids": [NUMBER, ...] for attach. Prints one line: "ok", "errno NUMBER TEXT"
 * or "error TEXT". After start it is the first process of the new scope and
 * keeps it alive until its standard input ends.
 */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define SERVICE   "org.freedesktop.systemd1"
#define MANAGER   "org.freedesktop.systemd1.Manager"
#define MANAGER_P "/org/freedesktop/systemd1"

/* How long systemd may take for one job. */
#define JOB_TIMEOUT_USEC (30 * 1000000ULL)

#define REQUEST_MAX (4U << 20)

struct client {
	sd_bus *bus;
	json_t *request;
	const char *unit;
	char job[256];   /* object path of the job that is waited for */
	char result[64]; /* "done", "failed", ...; "" until the job is removed */
};

static int reply_errno(int number, const char *what)
{
	printf("errno %d %s\n", number < 0 ? -number : number, what);
	return EXIT_FAILURE;
}

/* systemd's own words, which may be several lines. */
static int reply_error(const char *text)
{
	printf("error ");
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' ? ' ' : *text);
	putchar('\n');
	return EXIT_FAILURE;
}

static int reply_failure(const sd_bus_error *error, int result, const char *what)
{
	bool has_text = sd_bus_error_is_set(error) && error->message && error->message[0];

	if (!sd_bus_error_is_set(error))
		return reply_errno(result, what);
	return reply_error(has_text ? error->message : error->name);
}

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static json_t *read_request(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length = getline(&line, &size, stdin);
	json_t *request = length > 0 && length < REQUEST_MAX ? json_loads(line, 0, NULL) : NULL;

	free(line);
	return request;
}

/* systemd's own socket first: it needs no message bus, and saves a hop. */
static int connect_private(sd_bus **ret_bus, const char *directory)
{
	char address[512];
	sd_bus *bus = NULL;
	int result = sd_bus_new(&bus);

	snprintf(address, sizeof(address), "unix:path=%.400s/systemd/private", directory);
	if (result >= 0)
		result = sd_bus_set_address(bus, address);
	if (result >= 0)
		result = sd_bus_start(bus);
	if (result < 0)
		sd_bus_unref(bus);
	else
		*ret_bus = bus;
	return result;
}

static int connect_bus(struct client *client)
{
	bool is_user = json_is_true(json_object_get(client->request, "user"));
	const char *directory = is_user ? getenv("XDG_RUNTIME_DIR") : "/run";
	char own[32];

	/* An engine's clean-up may come without it (pam_systemd(8)). */
	if (!directory) {
		snprintf(own, sizeof(own), "/run/user/%u", (unsigned)geteuid());
		directory = own;
	}
	if (connect_private(&client->bus, directory) >= 0)
		return 0;
	return is_user ? sd_bus_open_user(&client->bus) : sd_bus_open_system(&client->bus);
}

static int append_basic(sd_bus_message *message, char type, const json_t *value)
{
	json_int_t number = json_integer_value(value);

	switch (type) {
	case 's':
		return sd_bus_message_append(message, "s", json_string_value(value));
	case 'b':
		return sd_bus_message_append(message, "b", json_is_true(value));
	case 'd':
		return sd_bus_message_append(message, "d", json_number_value(value));
	case 'y':
		return sd_bus_message_append(message, "y", (int)(uint8_t)number);
	case 'n':
	case 'q':
		return sd_bus_message_append_basic(message, type, &(uint16_t){ (uint16_t)number });
	case 'i':
	case 'u':
		return sd_bus_message_append_basic(message, type, &(uint32_t){ (uint32_t)number });
	case 'x':
	case 't':
		return sd_bus_message_append_basic(message, type, &(uint64_t){ (uint64_t)number });
	default:
		return -EINVAL;
	}
}

static int append_pair(sd_bus_message *message, json_t *pair)
{
	return sd_bus_message_append(message, "(ss)", json_string_value(json_array_get(pair, 0)),
		json_string_value(json_array_get(pair, 1)));
}

static int append_value(sd_bus_message *message, const char *signature, json_t *value)
{
	size_t i;
	json_t *item;
	int result;

	if (signature[0] != 'a')
		return append_basic(message, signature[0], value);
	result = sd_bus_message_open_container(message, 'a', signature + 1);
	json_array_foreach (value, i, item)
		if (result >= 0)
			result = signature[1] == '(' ? append_pair(message, item)
						     : append_basic(message, signature[1], item);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static int append_property(sd_bus_message *message, json_t *property)
{
	const char *name = json_string_value(json_array_get(property, 0));
	const char *signature = json_string_value(json_array_get(property, 1));
	int result =
		name && signature ? sd_bus_message_open_container(message, 'r', "sv") : -EINVAL;

	if (result >= 0)
		result = sd_bus_message_append(message, "s", name);
	if (result >= 0)
		result = sd_bus_message_open_container(message, 'v', signature);
	if (result >= 0)
		result = append_value(message, signature, json_array_get(property, 2));
	if (result >= 0)
		result = sd_bus_message_close_container(message);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

/*
 * systemd answers before it writes the files of a unit's group, and writes them
 * before it takes the next call.
 */
static void await_files(struct client *client)
{
	sd_bus_call_method(client->bus, SERVICE, MANAGER_P, "org.freedesktop.DBus.Peer", "Ping",
		NULL, NULL, NULL);
}

/* The scope needs a process to be born with: this one. */
static int append_properties(struct client *client, sd_bus_message *message, bool has_process)
{
	size_t i;
	json_t *property;
	int result = sd_bus_message_open_container(message, 'a', "(sv)");

	if (result >= 0 && has_process)
		result =
			sd_bus_message_append(message, "(sv)", "PIDs", "au", 1, (uint32_t)getpid());
	json_array_foreach (json_object_get(client->request, "properties"), i, property)
		if (result >= 0)
			result = append_property(message, property);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

/*
 * JobRemoved(id, job, unit, result). What comes while a method is called waits
 * until sd_bus_process(), so our job's end can't be missed.
 */
static int note_job(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct client *client = context;
	const char *job, *result;

	(void)error;
	if (sd_bus_message_read(message, "uoss", NULL, &job, NULL, &result) < 0)
		return 0;
	if (strcmp(job, client->job) == 0)
		snprintf(client->result, sizeof(client->result), "%s", result);
	return 0;
}

static int watch_jobs(struct client *client)
{
	int result = sd_bus_match_signal(
		client->bus, NULL, NULL, MANAGER_P, MANAGER, "JobRemoved", note_job, client);

	if (result < 0)
		return result;
	/* Without it systemd sends no signals over a message bus. */
	return sd_bus_call_method(
		client->bus, SERVICE, MANAGER_P, MANAGER, "Subscribe", NULL, NULL, NULL);
}

static int wait_job(struct client *client, const char *job)
{
	uint64_t deadline = now_usec() + JOB_TIMEOUT_USEC;

	snprintf(client->job, sizeof(client->job), "%s", job);
	while (!client->result[0]) {
		uint64_t now = now_usec();
		int result = sd_bus_process(client->bus, NULL);

		if (result < 0)
			return result;
		if (result > 0)
			continue;
		if (now >= deadline)
			return -ETIMEDOUT;
		result = sd_bus_wait(client->bus, deadline - now);
		if (result < 0 && result != -EINTR)
			return result;
	}
	return 0;
}

static void read_property(
	struct client *client, const char *interface, const char *name, char ret_text[static 128])
{
	char *path = NULL, *text = NULL;

	snprintf(ret_text, 128, "unknown");
	if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", client->unit, &path) < 0)
		return;
	if (sd_bus_get_property_string(client->bus, SERVICE, path, interface, name, NULL, &text) >=
		0)
		snprintf(ret_text, 128, "%s", text);
	free(text);
	free(path);
}

/* A unit that has failed keeps its name and is shown until then. */
static void forget(struct client *client)
{
	sd_bus_call_method(client->bus, SERVICE, MANAGER_P, MANAGER, "ResetFailedUnit", NULL, NULL,
		"s", client->unit);
}

/* Why a job has not come to a good end, as far as the unit says. */
static int reply_job(struct client *client)
{
	char result[128], active[128], sub[128], text[512];

	if (strcmp(client->result, "done") == 0) {
		printf("ok\n");
		return EXIT_SUCCESS;
	}
	read_property(client, "org.freedesktop.systemd1.Scope", "Result", result);
	read_property(client, "org.freedesktop.systemd1.Unit", "ActiveState", active);
	read_property(client, "org.freedesktop.systemd1.Unit", "SubState", sub);
	forget(client);
	snprintf(text, sizeof(text), "job %s: unit's result '%s', state %s (%s)", client->result,
		result, active, sub);
	return reply_error(text);
}

static int finish_job(struct client *client, sd_bus_message *reply)
{
	const char *job;
	int result = sd_bus_message_read(reply, "o", &job);

	if (result >= 0)
		result = wait_job(client, job);
	sd_bus_message_unref(reply);
	return result < 0 ? reply_errno(result, "wait for systemd's job") : reply_job(client);
}

static int call_start(struct client *client, sd_bus_error *error, sd_bus_message **ret_reply)
{
	sd_bus_message *message = NULL;
	int result = sd_bus_message_new_method_call(
		client->bus, &message, SERVICE, MANAGER_P, MANAGER, "StartTransientUnit");

	if (result >= 0)
		result = sd_bus_message_append(message, "ss", client->unit, "fail");
	if (result >= 0)
		result = append_properties(client, message, true);
	if (result >= 0)
		result = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (result >= 0)
		result = sd_bus_call(client->bus, message, 0, error, ret_reply);
	sd_bus_message_unref(message);
	return result;
}

static int start(struct client *client)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int result = watch_jobs(client);

	if (result < 0)
		return reply_errno(result, "watch systemd's jobs");
	result = call_start(client, &error, &reply);
	if (result < 0 && sd_bus_error_has_name(&error, SERVICE ".UnitExists")) {
		forget(client);
		sd_bus_error_free(&error);
		result = call_start(client, &error, &reply);
	}
	if (result < 0)
		return reply_failure(&error, result, "start the unit");
	return finish_job(client, reply);
}

static int stop(struct client *client)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int result = watch_jobs(client);

	if (result < 0)
		return reply_errno(result, "watch systemd's jobs");
	result = sd_bus_call_method(client->bus, SERVICE, MANAGER_P, MANAGER, "StopUnit", &error,
		&reply, "ss", client->unit, "replace");
	/* An empty scope goes by itself. */
	if (result < 0 && sd_bus_error_has_name(&error, SERVICE ".NoSuchUnit")) {
		printf("ok\n");
		return EXIT_SUCCESS;
	}
	if (result < 0)
		return reply_failure(&error, result, "stop the unit");
	result = finish_job(client, reply);
	forget(client);
	return result;
}

/* AttachProcessesToUnit(unit, group below it, pids) */
static int attach(struct client *client)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *message = NULL;
	const char *below = json_string_value(json_object_get(client->request, "below"));
	int result = sd_bus_message_new_method_call(
		client->bus, &message, SERVICE, MANAGER_P, MANAGER, "AttachProcessesToUnit");

	if (result >= 0)
		result = sd_bus_message_append(message, "ss", client->unit, below ? below : "");
	if (result >= 0)
		result = append_value(message, "au", json_object_get(client->request, "pids"));
	if (result >= 0)
		result = sd_bus_call(client->bus, message, 0, &error, NULL);
	sd_bus_message_unref(message);
	if (result < 0)
		return reply_failure(&error, result, "move a process into the unit");
	printf("ok\n");
	return EXIT_SUCCESS;
}

static int set(struct client *client)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *message = NULL;
	int result = sd_bus_message_new_method_call(
		client->bus, &message, SERVICE, MANAGER_P, MANAGER, "SetUnitProperties");

	if (result >= 0)
		result = sd_bus_message_append(message, "sb", client->unit, 1);
	if (result >= 0)
		result = append_properties(client, message, false);
	if (result >= 0)
		result = sd_bus_call(client->bus, message, 0, &error, NULL);
	sd_bus_message_unref(message);
	if (result < 0)
		return reply_failure(&error, result, "set the unit's properties");
	await_files(client);
	printf("ok\n");
	return EXIT_SUCCESS;
}

static const struct {
	const char *name;
	int (*run)(struct client *client);
	bool stays;
} actions[] = {
	{ "start", start, true },
	{ "set", set, false },
	{ "attach", attach, false },
	{ "stop", stop, false },
};

static int act(struct client *client, const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		int status, byte;

		if (strcmp(actions[i].name, name) != 0)
			continue;
		status = actions[i].run(client);
		fflush(stdout);
		if (status == EXIT_SUCCESS && actions[i].stays) {
			sd_bus_unref(client->bus);
			client->bus = NULL;
			while ((byte = getchar()) != EOF)
				;
		}
		return status;
	}
	return reply_error("unknown action");
}

static int serve(struct client *client, const char *action)
{
	int result = connect_bus(client);

	return result < 0 ? reply_errno(result, "connect to systemd") : act(client, action);
}

int main(int argc, char **argv)
{
	struct client client = { 0 };
	int status;

	/* The keys are kogg's; and SELinux may deny the /dev/urandom that jansson would read. */
	json_object_seed(1);
	client.request = read_request();
	client.unit = json_string_value(json_object_get(client.request, "unit"));
	if (argc == 2 && client.unit)
		status = serve(&client, argv[1]);
	else
		status = reply_error(
			"usage: kogg-systemd start|set|attach|stop, with a request on stdin");
	sd_bus_unref(client.bus);
	json_decref(client.request);
	return status;
}
