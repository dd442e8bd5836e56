using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pipeline.Serving;

namespace Pipeline.Web;

/// <summary>Adds the pages to a service of models.</summary>
internal static class WebExtensions
{
    /// <summary>Registers what the pages need.</summary>
    /// <param name="services">The services of a <see cref="ModelServer"/>.</param>
    /// <param name="runs">The folder of the runs that the pages show.</param>
    public static IServiceCollection AddPages(this IServiceCollection services, string runs) =>
        services
            .AddSingleton<IProblemPage, ProblemPages>()
            .AddSingleton(new RunFolders(runs))
            .AddSingleton<SweepFolders>()
            .AddSingleton(BitsBundle.BesideProgram)
            .AddSingleton<LoggedRuns>();

    /// <summary>Adds the headers and maps all pages.</summary>
    /// <param name="application">A service to which nothing else has been added.</param>
    public static void UsePages(this WebApplication application)
    {
        application.Use(SecurityHeaders.ApplyAsync);
        AssetFiles.Map(application);
        SignInPages.Map(application);
        RunPages.Map(application);
        ComparePages.Map(application);
        SweepPages.Map(application);
        TryPages.Map(application);
        BitsPages.Map(application);
        application.MapPage("/", context => Page.Redirect(context, RunPages.Root));
    }

    /// <summary>Maps a page. An error is answered with a page for browsers and with a problem for other clients.</summary>
    public static void MapPage(
        this IEndpointRouteBuilder routes,
        string pattern,
        Microsoft.AspNetCore.Http.RequestDelegate page
    ) => routes.MapRead(pattern, ModelEndpoints.Answer(page));
}
