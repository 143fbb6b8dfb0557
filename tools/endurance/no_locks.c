/* Preloaded, it is a file system without locks: gcc -shared -fPIC -o no_locks.so no_locks.c */
#include <errno.h>

int flock(int descriptor, int operation) {
    (void)descriptor, (void)operation;
    errno = ENOLCK;
    return -1;
}
