namespace RxStages.Bpf.Runtime;

/// <summary>Error numbers of Linux that helpers and map operations return, negated, on every operating system.</summary>
public static class Errno
{
    /// <summary><c>EPERM</c></summary>
    public const int EPERM = 1;

    /// <summary><c>ENOENT</c></summary>
    public const int ENOENT = 2;

    /// <summary><c>E2BIG</c></summary>
    public const int E2BIG = 7;

    /// <summary><c>EBADF</c></summary>
    public const int EBADF = 9;

    /// <summary><c>EAGAIN</c></summary>
    public const int EAGAIN = 11;

    /// <summary><c>ENOMEM</c></summary>
    public const int ENOMEM = 12;

    /// <summary><c>EACCES</c></summary>
    public const int EACCES = 13;

    /// <summary><c>EFAULT</c></summary>
    public const int EFAULT = 14;

    /// <summary><c>EDEADLK</c></summary>
    public const int EDEADLK = 35;

    /// <summary><c>EBUSY</c></summary>
    public const int EBUSY = 16;

    /// <summary><c>EEXIST</c></summary>
    public const int EEXIST = 17;

    /// <summary><c>ENODEV</c></summary>
    public const int ENODEV = 19;

    /// <summary><c>EINVAL</c></summary>
    public const int EINVAL = 22;

    /// <summary><c>ENOSPC</c></summary>
    public const int ENOSPC = 28;

    /// <summary><c>ETIME</c></summary>
    public const int ETIME = 62;

    /// <summary><c>ENONET</c></summary>
    public const int ENONET = 64;

    /// <summary><c>EPROTO</c></summary>
    public const int EPROTO = 71;

    /// <summary><c>ERANGE</c></summary>
    public const int ERANGE = 34;

    /// <summary><c>ENODATA</c></summary>
    public const int ENODATA = 61;

    /// <summary><c>EOVERFLOW</c></summary>
    public const int EOVERFLOW = 75;

    /// <summary><c>EPROTONOSUPPORT</c></summary>
    public const int EPROTONOSUPPORT = 93;

    /// <summary><c>EOPNOTSUPP</c></summary>
    public const int EOPNOTSUPP = 95;

    /// <summary><c>EAFNOSUPPORT</c></summary>
    public const int EAFNOSUPPORT = 97;

    /// <summary><c>ENETUNREACH</c></summary>
    public const int ENETUNREACH = 101;

    /// <summary><c>EHOSTUNREACH</c></summary>
    public const int EHOSTUNREACH = 113;

    /// <summary><c>ENOTSUPP</c>: the kernel's own, seen by programs.</summary>
    public const int ENOTSUPP = 524;
}
