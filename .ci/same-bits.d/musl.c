/* What Debian's libstdc++ and libgcc ask of glibc's loader, for programs of musl: Debian has musl's loader without a libstdc++
   of its own. It takes the place of ld-linux-x86-64.so.2, by its name; musl has the rest. Of C++ objects, destructors at the
   end of a thread do not run. */
#include <stddef.h>
#include <stdint.h>
#include <elf.h>
typedef struct { Elf64_Addr addr; const char *name; const Elf64_Phdr *phdr; Elf64_Half count; } module_info;
extern int dl_iterate_phdr(int (*)(module_info *, size_t, void *), void *);
extern long getrandom(void *, size_t, unsigned);
extern size_t strftime_l(char *, size_t, const char *, const void *, void *);
char __libc_single_threaded = 0;
unsigned __cpu_model[4];
int __cpu_indicator_init(void) { return 0; }
unsigned arc4random(void) { unsigned x; getrandom(&x, sizeof x, 0); return x; }
size_t __strftime_l(char *s, size_t n, const char *f, const void *t, void *l) { return strftime_l(s, n, f, t, l); }
int __cxa_thread_atexit_impl(void (*f)(void *), void *o, void *d) { return 0; }
struct found { unsigned long long flags; void *start, *end, *map, *frames; unsigned long long reserved[7]; };
struct query { uintptr_t pc; struct found *found; };
static int visit(module_info *info, size_t size, void *data)
{
    struct query *query = data;
    uintptr_t start = 0, end = 0;
    void *frames = 0;
    for (int i = 0; i < info->count; i++) {
        const Elf64_Phdr *part = &info->phdr[i];
        uintptr_t first = info->addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && query->pc >= first && query->pc < first + part->p_memsz)
            start = first, end = first + part->p_memsz;
        if (part->p_type == PT_GNU_EH_FRAME)
            frames = (void *)first;
    }
    if (!start || !frames)
        return 0;
    *query->found = (struct found){ .start = (void *)start, .end = (void *)end, .frames = frames };
    return 1;
}
int _dl_find_object(void *pc, struct found *found)
{
    struct query query = { (uintptr_t)pc, found };
    return dl_iterate_phdr(visit, &query) ? 0 : -1;
}
