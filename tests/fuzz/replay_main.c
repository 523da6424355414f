/* Runs a fuzz target over the files named, or all files of the folders named. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    struct stat st;
    int bad = 1;

    if (f && fstat(fileno(f), &st) == 0 && (data = malloc((size_t)st.st_size + 1)) != NULL) {
        size_t n = fread(data, 1, (size_t)st.st_size, f);
        LLVMFuzzerTestOneInput(data, n);
        bad = 0;
    } else {
        perror(path);
    }
    free(data);
    if (f)
        fclose(f);
    return bad;
}

int main(int argc, char **argv)
{
    int runs = 0, bad = 0;

    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        struct dirent *e;

        if (!d) {
            bad += replay(argv[i]);
            runs++;
            continue;
        }
        while ((e = readdir(d)) != NULL) {
            char path[4096];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
            bad += replay(path);
            runs++;
        }
        closedir(d);
    }
    printf("%d inputs, %d not readable\n", runs, bad);
    return bad || runs == 0;
}
