#include "learner/status_page.h"

// the assembler reads the file at build time; the Makefile names it as a prerequisite
__asm__(".pushsection .rodata\n"
        ".global status_page_begin\n"
        "status_page_begin:\n"
        ".incbin \"learner/status_page.html\"\n"
        ".global status_page_end\n"
        "status_page_end:\n"
        ".byte 0\n"
        ".popsection\n");

extern const char status_page_begin[], status_page_end[];

const char *status_page(size_t *size)
{
    *size = (size_t)(status_page_end - status_page_begin);
    return status_page_begin;
}
