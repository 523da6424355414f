#include "../app.h"

extern char **environ;

int main(int argc, char **argv)
{
    return ft_main(argc, argv, environ);
}
