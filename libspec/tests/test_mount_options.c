/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/mount.h>
#include <sys/mount.h>

#include "libspec/tests/load.h"

#define ATIME       MOUNT_ATTR__ATIME
#define NOATIME     MOUNT_ATTR_NOATIME
#define STRICTATIME MOUNT_ATTR_STRICTATIME
#define RDONLY      MOUNT_ATTR_RDONLY
#define NOSUID      MOUNT_ATTR_NOSUID
#define NODEV       MOUNT_ATTR_NODEV
#define NOEXEC      MOUNT_ATTR_NOEXEC
#define NODIRATIME  MOUNT_ATTR_NODIRATIME
#define NOSYMFOLLOW 0x200000
#define I_VERSION   (1 << 23)
#define MOUNT_HEAD                                                          \
	"{'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'namespaces':[" \
	"{'type':'mount'},{'type':'user','path':'/u'}]},'mounts':[{'destination':'/m',"

/* The words of the spec's table and rnodev, which only its feature examples have. */
struct word {
	const char *words; /* JSON strings */
	struct mount_options want;
};

static const struct word words[] = {
	{ "'async'", { .sb_clear = MS_SYNCHRONOUS } },
	{ "'atime'", { .here = { .clear = ATIME } } },
	{ "'bind'", { .is_bind = true } },
	{ "'defaults'", { .sb_set = 0 } },
	{ "'dev'", { .here = { .clear = NODEV } } },
	{ "'diratime'", { .here = { .clear = NODIRATIME } } },
	{ "'dirsync'", { .sb_set = MS_DIRSYNC } },
	{ "'exec'", { .here = { .clear = NOEXEC } } },
	{ "'iversion'", { .sb_set = I_VERSION } },
	{ "'lazytime'", { .sb_set = MS_LAZYTIME } },
	{ "'loud'", { .sb_clear = MS_SILENT } },
	{ "'mand'", { .sb_set = MS_MANDLOCK } },
	{ "'noatime'", { .here = { NOATIME, ATIME } } },
	{ "'nodev'", { .here = { .set = NODEV } } },
	{ "'nodiratime'", { .here = { .set = NODIRATIME } } },
	{ "'noexec'", { .here = { .set = NOEXEC } } },
	{ "'noiversion'", { .sb_clear = I_VERSION } },
	{ "'nolazytime'", { .sb_clear = MS_LAZYTIME } },
	{ "'nomand'", { .sb_clear = MS_MANDLOCK } },
	{ "'norelatime'", { .sb_set = 0 } },
	{ "'nostrictatime'", { .sb_set = 0 } },
	{ "'nosuid'", { .here = { .set = NOSUID } } },
	{ "'nosymfollow'", { .here = { .set = NOSYMFOLLOW } } },
	{ "'private'", { .propagation = MS_PRIVATE } },
	{ "'ratime'", { .recursive = { .clear = ATIME } } },
	{ "'rbind'", { .is_bind = true, .is_recursive = true } },
	{ "'rdev'", { .recursive = { .clear = NODEV } } },
	{ "'rdiratime'", { .recursive = { .clear = NODIRATIME } } },
	{ "'relatime'", { .here = { .clear = ATIME } } },
	{ "'remount'", { .is_remount = true } },
	{ "'rexec'", { .recursive = { .clear = NOEXEC } } },
	{ "'rnoatime'", { .recursive = { NOATIME, ATIME } } },
	{ "'rnodev'", { .recursive = { .set = NODEV } } },
	{ "'rnodiratime'", { .recursive = { .set = NODIRATIME } } },
	{ "'rnoexec'", { .recursive = { .set = NOEXEC } } },
	{ "'rnorelatime'", { .recursive = { .clear = ATIME } } },
	{ "'rnostrictatime'", { .recursive = { .clear = ATIME } } },
	{ "'rnosuid'", { .recursive = { .set = NOSUID } } },
	{ "'rnosymfollow'", { .recursive = { .set = NOSYMFOLLOW } } },
	{ "'ro'", { .here = { .set = RDONLY } } },
	{ "'rprivate'", { .propagation = MS_PRIVATE, .is_propagation_recursive = true } },
	{ "'rrelatime'", { .recursive = { .clear = ATIME } } },
	{ "'rro'", { .recursive = { .set = RDONLY } } },
	{ "'rrw'", { .recursive = { .clear = RDONLY } } },
	{ "'rshared'", { .propagation = MS_SHARED, .is_propagation_recursive = true } },
	{ "'rslave'", { .propagation = MS_SLAVE, .is_propagation_recursive = true } },
	{ "'rstrictatime'", { .recursive = { STRICTATIME, ATIME } } },
	{ "'rsuid'", { .recursive = { .clear = NOSUID } } },
	{ "'rsymfollow'", { .recursive = { .clear = NOSYMFOLLOW } } },
	{ "'runbindable'", { .propagation = MS_UNBINDABLE, .is_propagation_recursive = true } },
	{ "'rw'", { .here = { .clear = RDONLY } } },
	{ "'shared'", { .propagation = MS_SHARED } },
	{ "'silent'", { .sb_set = MS_SILENT } },
	{ "'slave'", { .propagation = MS_SLAVE } },
	{ "'strictatime'", { .here = { STRICTATIME, ATIME } } },
	{ "'suid'", { .here = { .clear = NOSUID } } },
	{ "'symfollow'", { .here = { .clear = NOSYMFOLLOW } } },
	{ "'sync'", { .sb_set = MS_SYNCHRONOUS } },
	{ "'tmpcopyup'", { .has_tmpcopyup = true } },
	{ "'unbindable'", { .propagation = MS_UNBINDABLE } },
	{ "'idmap'", { .has_idmap = true } },
	{ "'ridmap'", { .has_idmap = true, .is_idmap_recursive = true } },
};

/* Each subject goes by its last word, and no word touches another subject. */
static const struct word orders[] = {
	{ "", { .sb_set = 0 } },
	{ "'ro','rw'", { .here = { .clear = RDONLY } } },
	{ "'rw','ro'", { .here = { .set = RDONLY } } },
	{ "'ro','defaults'", { .here = { .set = RDONLY } } },
	{ "'ro','rrw'", { .here = { .set = RDONLY }, .recursive = { .clear = RDONLY } } },
	{ "'rro','rw'", { .here = { .clear = RDONLY }, .recursive = { .set = RDONLY } } },
	{ "'nosuid','nodev','suid'", { .here = { .set = NODEV, .clear = NOSUID } } },
	{ "'noatime','strictatime'", { .here = { STRICTATIME, ATIME } } },
	{ "'strictatime','noatime'", { .here = { NOATIME, ATIME } } },
	{ "'noatime','relatime'", { .here = { .clear = ATIME } } },
	{ "'noatime','atime'", { .here = { .clear = ATIME } } },
	{ "'noatime','nostrictatime'", { .here = { NOATIME, ATIME } } },
	{ "'strictatime','nostrictatime'", { .here = { .clear = ATIME } } },
	{ "'strictatime','norelatime'", { .here = { STRICTATIME, ATIME } } },
	{ "'relatime','norelatime'", { .here = { .clear = ATIME } } },
	{ "'rnoatime','rstrictatime'", { .recursive = { STRICTATIME, ATIME } } },
	{ "'rnoatime','rrelatime'", { .recursive = { .clear = ATIME } } },
	{ "'nodiratime','noatime','diratime'",
		{ .here = { .set = NOATIME, .clear = ATIME | NODIRATIME } } },
	{ "'sync','async'", { .sb_clear = MS_SYNCHRONOUS } },
	{ "'async','sync','dirsync'", { .sb_set = MS_SYNCHRONOUS | MS_DIRSYNC } },
	{ "'silent','loud','silent'", { .sb_set = MS_SILENT } },
	{ "'rshared','private'", { .propagation = MS_PRIVATE } },
	{ "'private','rslave'", { .propagation = MS_SLAVE, .is_propagation_recursive = true } },
	{ "'rbind','bind'", { .is_bind = true, .is_recursive = true } },
	{ "'bind','rbind'", { .is_bind = true, .is_recursive = true } },
	{ "'ridmap','idmap'", { .has_idmap = true } },
	{ "'bind','rprivate','ro',''", { .is_bind = true,
					       .propagation = MS_PRIVATE,
					       .is_propagation_recursive = true,
					       .here = { .set = RDONLY } } },
};

static unsigned n_warnings;
static char warning[LOG_TEXT_MAX];

static void note_warning(void *context, enum log_level level, const char *text)
{
	(void)context;
	ck_assert_int_eq(level, LOG_LEVEL_WARNING);
	n_warnings++;
	snprintf(warning, sizeof(warning), "%s", text);
}

static void setup(void)
{
	static const struct log_sink sink = { .write = note_warning };

	n_warnings = 0;
	log_set_sink(&sink);
}

/* The mount with these options; the caller frees RET_DOCUMENT. */
static const struct spec_mount *read_mount(const char *options, struct spec_document **ret_document)
{
	const struct spec *spec = NULL;
	struct error err = { 0 };
	struct place place;
	char short_form[1024], *json;

	snprintf(short_form, sizeof(short_form),
		MOUNT_HEAD "'type':'tmpfs','source':'/s','options':[%s]}]}", options);
	json = load_expand(short_form, &place);
	ck_assert_msg(load_config(json, ret_document, &spec, &err) == 0, "%s", err.text);
	free(json);
	return &spec->mounts[0];
}

static void assert_options(const struct word *word)
{
	struct spec_document *document;
	const struct mount_options *got = &read_mount(word->words, &document)->parsed;
	const struct mount_options *want = &word->want;

	ck_assert_uint_eq(got->here.set, want->here.set);
	ck_assert_uint_eq(got->here.clear, want->here.clear);
	ck_assert_uint_eq(got->recursive.set, want->recursive.set);
	ck_assert_uint_eq(got->recursive.clear, want->recursive.clear);
	ck_assert_uint_eq(got->sb_set, want->sb_set);
	ck_assert_uint_eq(got->sb_clear, want->sb_clear);
	ck_assert_uint_eq(got->propagation, want->propagation);
	ck_assert_int_eq(got->is_propagation_recursive, want->is_propagation_recursive);
	ck_assert_int_eq(got->is_bind, want->is_bind);
	ck_assert_int_eq(got->is_recursive, want->is_recursive);
	ck_assert_int_eq(got->is_remount, want->is_remount);
	ck_assert_int_eq(got->has_tmpcopyup, want->has_tmpcopyup);
	ck_assert_int_eq(got->has_idmap, want->has_idmap);
	ck_assert_int_eq(got->is_idmap_recursive, want->is_idmap_recursive);
	ck_assert_uint_eq(got->data.count, 0);
	ck_assert_uint_eq(n_warnings, 0);
	spec_document_free(document);
}

START_TEST(reads_every_word)
{
	assert_options(&words[_i]);
}
END_TEST

START_TEST(takes_the_last_word)
{
	assert_options(&orders[_i]);
}
END_TEST

START_TEST(knows_no_other_words)
{
	size_t count = 0;

	for (; mount_options_word(count); count++) {
		bool is_tested = false;
		char quoted[32];

		snprintf(quoted, sizeof(quoted), "'%s'", mount_options_word(count));
		for (size_t i = 0; i < array_size(words); i++)
			is_tested |= !strcmp(words[i].words, quoted);
		ck_assert_msg(is_tested, "%s", quoted);
	}
	ck_assert_uint_eq(count, array_size(words));
}
END_TEST

START_TEST(hands_on_data)
{
	struct spec_document *document;
	const struct spec_mount *mount =
		read_mount("'ro','size=64k','','newinstance','nosuid','mode=1777'", &document);

	ck_assert_uint_eq(mount->parsed.data.count, 3);
	ck_assert_str_eq(mount->parsed.data.items[0], "size=64k");
	ck_assert_str_eq(mount->parsed.data.items[1], "newinstance");
	ck_assert_str_eq(mount->parsed.data.items[2], "mode=1777");
	ck_assert_ptr_null(mount->parsed.data.items[3]);
	ck_assert_uint_eq(mount->parsed.here.set, RDONLY | NOSUID);
	ck_assert_uint_eq(mount->options.count, 6);
	spec_document_free(document);
}
END_TEST

/* What a bind mount can't have, and where it stands among its options; -1: nothing. */
static const struct {
	const char *options;
	int index;
	const char *word;
} lost[] = {
	{ "'ro','size=64k','rbind'", 1, "size=64k" },
	{ "'bind','sync'", 1, "sync" },
	{ "'dirsync','rbind','ro'", 0, "dirsync" },
	{ "'bind','lazytime'", 1, "lazytime" },
	{ "'bind','mand'", 1, "mand" },
	{ "'bind','iversion'", 1, "iversion" },
	{ "'bind','remount','sync'", 2, "sync" },
	{ "'bind','tmpcopyup'", 1, "tmpcopyup" },
	{ "'bind','async','sync'", 2, "sync" },
	{ "'bind','sync','async'", -1, NULL },
	{ "'bind','async','nolazytime','nomand','noiversion','loud','silent','defaults'", -1,
		NULL },
};

START_TEST(drops_what_a_bind_has_not_with_a_warning)
{
	struct spec_document *document;
	const struct spec_mount *mount = read_mount(lost[_i].options, &document);
	char text[LOG_TEXT_MAX];

	ck_assert_uint_eq(mount->parsed.data.count, 0);
	ck_assert_uint_eq(n_warnings, lost[_i].word ? 1 : 0);
	if (lost[_i].word) {
		snprintf(text, sizeof(text),
			"/mounts/0/options/%d: '%s' is ignored, a bind mount has no such option",
			lost[_i].index, lost[_i].word);
		ck_assert_str_eq(warning, text);
	}
	spec_document_free(document);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mount_options");
	TCase *tcase = tcase_create("words");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, reads_every_word, 0, array_size(words));
	tcase_add_loop_test(tcase, takes_the_last_word, 0, array_size(orders));
	tcase_add_test(tcase, knows_no_other_words);
	tcase_add_test(tcase, hands_on_data);
	tcase_add_loop_test(tcase, drops_what_a_bind_has_not_with_a_warning, 0, array_size(lost));
	suite_add_tcase(suite, tcase);

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
