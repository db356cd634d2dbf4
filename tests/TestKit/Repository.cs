namespace RxStages.TestKit;

/// <summary>Finds the repository's files from wherever the tests run.</summary>
public static class Repository
{
    /// <summary>The repository's root: the nearest folder above the test binary that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The full path of a file of the repository.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RxStages.slnx")))
            {
                return folder.FullName;
            }
        }
        throw new InvalidOperationException("RxStages.slnx is not above " + AppContext.BaseDirectory);
    }
}
