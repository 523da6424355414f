#include <stdio.h>

int main(void)
{
    fputs("fraudtop: no command\n", stderr);
    return 2;
}
